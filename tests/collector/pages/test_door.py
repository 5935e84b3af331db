"""The way out: whom it opens for, that it connects where it looked, and that nobody holds it open."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from gateway import answer, serving
from target_server import Target, in_days, make_certificate, running

from collector.errors import SettingsError
from collector.pages.door import Door, Outward
from collector.pages.senders.base import SendError
from collector.settings_channels import Outbound

PUBLIC = "93.184.216.34"


def opens(outbound: Outbound, host: str, addresses: list[str], is_ours: bool) -> str:
    """Empty, or the reason why not."""
    found = None
    try:
        Door(outbound, lambda _host, _port: addresses).way(host, 443, is_ours=is_ours)
    except SendError as why:
        found = why
    assert found is None or found.permanent == (found.reason == "blocked")
    return found.reason if found else ""


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.9", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "::"],
)  # fmt: skip
def test_a_persons_address_may_not_lie_within(address: str) -> None:
    assert opens(Outbound(), "hook.example", [address], False) == "blocked"
    assert opens(Outbound(), "hook.example", [PUBLIC, address], False) == "blocked", "one of several"
    assert opens(Outbound(), address, [], False) == "blocked", "written as a number"
    assert opens(Outbound(), "hook.example", [address], True) == "", "the operator's own word"
    assert opens(Outbound(private="hook.example"), "hook.example", [address], False) == ""


@pytest.mark.parametrize(
    ("outbound", "host", "addresses", "said"),
    [
        (Outbound(), "hook.example", [PUBLIC], ""),
        (Outbound(), "hook.example", [], "unreachable"),
        (Outbound(private="10.0.0.0/8"), "chat.corp", ["10.1.1.1"], ""),
        (Outbound(private="10.0.0.0/8"), "chat.corp", ["10.1.1.1", "127.0.0.1"], "blocked"),
        (Outbound(private="*.corp"), "Chat.Corp.", ["127.0.0.1"], ""),
        (Outbound(private="*.corp"), "corp", ["127.0.0.1"], "blocked"),
        (Outbound(private="*.corp"), "evilcorp", ["127.0.0.1"], "blocked"),
        (Outbound(allow="*.go.kr"), "hook.example", [PUBLIC], "blocked"),
        (Outbound(allow="*.go.kr 93.0.0.0/8"), "hook.example", [PUBLIC], ""),
        (Outbound(allow="93.0.0.0/8"), "hook.example", [PUBLIC, "94.0.0.1"], "blocked"),
        (Outbound(deny="93.0.0.0/8"), "hook.example", ["94.0.0.1", PUBLIC], "blocked"),
        (Outbound(deny="hook.example", allow="hook.example"), "hook.example", [PUBLIC], "blocked"),
    ],
)
def test_lists(outbound: Outbound, host: str, addresses: list[str], said: str) -> None:
    assert opens(outbound, host, addresses, False) == said


@pytest.mark.parametrize(
    "wrong", [{"allow": "10.0.0.0/33"}, {"deny": "a:b"}, {"proxy": "https://p"}, {"proxy": "p:3128"}]
)
def test_what_is_no_list(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        Door(Outbound(**wrong))


def test_it_looks_once_and_connects_there() -> None:
    looked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        looked.append(host)
        return ["127.0.0.1"] if len(looked) == 1 else ["10.255.255.1"]

    with serving() as gateway:
        door = Door(Outbound(), resolve)
        out = Outward("GET", f"http://service.example:{gateway.port}/x")
        assert door.request(out, is_ours=True).status == 200
        assert looked == ["service.example"]
        assert gateway.last.headers["Host"] == f"service.example:{gateway.port}"


def test_the_second_address_where_the_first_is_dead() -> None:
    with serving() as gateway:
        door = Door(Outbound(), lambda _host, _port: ["127.0.0.2", "127.0.0.1"])
        out = Outward("GET", f"http://s.example:{gateway.port}/")
        assert door.request(out, is_ours=True).status == 200


def test_tls_by_an_authority_of_ones_own(tmp_path: Path) -> None:
    ca, context = make_certificate(tmp_path, in_days(-1), in_days(1))
    with serving(context) as gateway:
        door = Door(Outbound(), lambda _host, _port: ["127.0.0.1"])
        here, elsewhere = (
            Outward("POST", f"https://{name}:{gateway.port}/", (), b"x") for name in ("localhost", "other")
        )
        assert door.request(here, is_ours=True, ca_file=str(ca)).status == 200
        for out, file, text in ((here, "", "CERTIFICATE_VERIFY_FAILED"), (elsewhere, str(ca), "Hostname mismatch")):
            with pytest.raises(SendError, match=text) as why:
                door.request(out, is_ours=True, ca_file=file)
            assert (why.value.reason, why.value.permanent) == ("unreachable", False)
        assert len([heard for heard in gateway.heard if heard]) == 1


def test_by_a_proxy() -> None:
    with serving() as proxy:
        door = Door(Outbound(proxy=proxy.url, no_proxy="127.0.0.1"))
        proxy.answers = [answer(200, {"id": 1}), answer(403, b"no")]
        assert door.request(Outward("GET", "http://far.example/a?b=1"), is_ours=False).status == 200
        assert proxy.last.line == "GET http://far.example/a?b=1 HTTP/1.1"
        with pytest.raises(SendError, match="Tunnel connection failed: 403"):
            door.request(Outward("GET", "https://far.example/a"), is_ours=False)
        assert proxy.last.line.startswith("CONNECT far.example:443 HTTP/1.")
        with pytest.raises(SendError) as why:
            door.request(Outward("GET", "http://10.0.0.1/"), is_ours=False)
        assert why.value.reason == "blocked"
        assert door.request(Outward("GET", f"{proxy.url}/straight"), is_ours=True).status == 200
        assert proxy.last.line == "GET /straight HTTP/1.1"


def test_an_answer_that_drips_is_cut_off() -> None:
    slow = Target(answer=b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, drip=0.05)
    with running(slow) as target:
        began = time.monotonic()
        with pytest.raises(SendError) as why:
            Door(Outbound()).request(Outward("GET", f"http://127.0.0.1:{target.port}/"), is_ours=True, seconds=0.3)
        assert why.value.reason == "timeout"
        assert time.monotonic() - began < 2
