"""The centre's policy under this machine's own file: what is in force, what is told, and what is never believed."""

from __future__ import annotations

import base64
import json

import pytest
from still_clock import SeededChance

from agent.config import AgentConfig, Process
from agent.link.exchange import Failure, Response
from agent.link.keys import new_key
from agent.link.policy import Policy, PolicyError, pack_policy, policy_hint
from agent.link.send_collector import CollectorLink
from agent.link.send_request import Signer
from agent.link.send_signers import Signers
from agent.policy import apply
from agent.policy_book import PolicyBook

AGENT = b"A" * 16
OWN_PROCESS = Process("nginx", "nginx")


def policy(**said) -> Policy:
    return Policy(agent=said.pop("agent", AGENT), version=said.pop("version", 1), at_ms=said.pop("at_ms", 1), **said)


@pytest.mark.parametrize(
    ("own", "said", "field", "value", "overridden"),
    [
        ({}, {"link_profile": "thin"}, "link_profile", "thin", ()),
        ({"link_profile": "lan"}, {"link_profile": "thin"}, "link_profile", "lan", ("link_profile",)),
        ({}, {"interval_seconds": 30}, "interval_seconds", 30.0, ()),
        ({"interval_seconds": 10.0}, {"interval_seconds": 30}, "interval_seconds", 10.0, ("interval_seconds",)),
        ({}, {"checks": {"off": ["bonding"]}}, "checks_disable", ("bonding",), ()),
        ({"checks_disable": ("cpu",)}, {"checks": {"off": ["bonding"]}}, "checks_disable", ("cpu",), ("checks",)),
        ({}, {"checks": {"only": ["cpu"]}}, "checks_only", ("cpu",), ()),
        ({"checks_only": ("load",)}, {"checks": {"only": ["cpu"]}}, "checks_only", ("load",), ("checks",)),
        ({}, {"processes": [{"name": "sshd", "command": "sshd"}]}, "processes", (Process("sshd", "sshd"),), ()),
        (
            {"processes": (OWN_PROCESS,)},
            {"processes": [{"name": "sshd"}]},
            "processes",
            (OWN_PROCESS,),
            ("processes",),
        ),
    ],
)
def test_what_the_file_says_wins_key_by_key(own, said, field, value, overridden):
    applied = apply(AgentConfig(**own), policy(**said))
    assert getattr(applied.config, field) == value
    assert applied.overridden == overridden
    assert applied.problems == ()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"link_profile": "pigeon"}, "pigeon"),
        ({"interval_seconds": 1}, "5 to 300"),
        ({"checks": {"off": ["no-such"]}}, "no-such"),
        ({"processes": [{"name": "x", "colour": "red"}]}, "colour"),
        ({"processes": [{"name": "x", "pattern": "("}]}, "pattern"),
        ({"probes": [{"name": "x", "module": "telepathy", "target": "y"}]}, "telepathy"),
    ],
)
def test_a_wrong_key_is_told_and_the_others_hold(said, words):
    good = {"interval_seconds": 60} if "interval_seconds" not in said else {"link_profile": "thin"}
    applied = apply(AgentConfig(), policy(**said, **good))
    (problem,) = applied.problems
    assert words in problem
    assert "policy of the centre" in problem
    assert applied.config == apply(AgentConfig(), policy(**good)).config


def test_without_a_policy_the_file_stands():
    assert apply(AgentConfig(series="core"), None).config == AgentConfig(series="core")


class Desk:
    """A policy book and a collector that tells policies."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.centre, self.key = new_key(), new_key()
        self.signers = Signers([Signer(AGENT, 1, self.key.sign)])
        self.packed = b""
        self.requests = []
        self.response = None
        self.link = CollectorLink("http://hub")
        self.open()

    def open(self) -> None:
        self.book = PolicyBook(self.folder, self.centre.public, self.signers, self.exchange, SeededChance())

    def exchange(self, request):
        self.requests.append(request)
        if self.response is not None:
            return self.response
        if dict(request.headers)["bongsu-nonce"] == "":
            return Response(401, "application/problem+json", b'{"nonce": "abc1"}')
        body = {"policy": base64.b64encode(self.packed).decode(), "nonce": "abc2"}
        return Response(200, "application/json", json.dumps(body).encode())

    def tell(self, **said) -> None:
        self.packed = pack_policy(policy(**said), self.centre.sign)
        self.link.policy_hint = policy_hint(self.packed)

    def step(self, now: float) -> bool:
        is_due = self.book.is_due(self.link, now)
        if is_due:
            self.book.run(self.link, now)
        return is_due


def test_a_policy_is_fetched_once_when_named_and_kept_for_the_next_start(tmp_path):
    desk = Desk(tmp_path)
    assert not desk.step(0.0), "nobody named one"
    desk.tell(interval_seconds=60)
    assert desk.step(1.0)
    assert desk.book.policy.interval_seconds == 60
    assert not desk.step(10_000.0)
    assert (tmp_path / "policy").stat().st_mode & 0o777 == 0o600
    desk.open()
    assert desk.book.policy.interval_seconds == 60
    assert not desk.step(10_000.0), "the file is as good"
    desk.tell(interval_seconds=30, version=2)
    assert desk.step(20_000.0)
    assert desk.book.policy.interval_seconds == 30
    desk.tell(interval_seconds=45, version=3)
    assert desk.step(20_001.0), "what is named is fetched, however soon after another"
    desk.tell(interval_seconds=30, version=4)
    desk.step(20_002.0)
    assert desk.book.policy.interval_seconds == 30


@pytest.mark.parametrize("trouble", ["forged", "another's", "older", "junk", "nobody", "portal"])
def test_what_may_not_be_followed_is_told_and_changes_nothing(tmp_path, trouble, caplog):
    desk = Desk(tmp_path)
    desk.tell(interval_seconds=60, version=5)
    desk.step(0.0)
    if trouble == "forged":
        desk.packed = pack_policy(policy(version=6), new_key().sign)
    elif trouble == "another's":
        desk.packed = pack_policy(policy(version=6, agent=b"B" * 16), desk.centre.sign)
    elif trouble == "older":
        desk.packed = pack_policy(policy(version=4), desk.centre.sign)
    elif trouble == "junk":
        desk.packed = b"\x93 no policy"
    elif trouble == "nobody":
        desk.response = Failure("no route")
    else:
        desk.response = Response(200, "text/html", b"<html>")
    desk.link.policy_hint = "deadbeef"
    assert desk.step(10_000.0)
    assert desk.book.policy.version == 5
    assert desk.book.trouble
    assert len(caplog.records) == 1
    asked = len(desk.requests)
    assert not desk.step(10_030.0), "not at once again"
    assert desk.step(11_000.0)
    assert len(desk.requests) > asked
    assert len(caplog.records) == 1, "told once"


def test_a_damaged_file_is_told_and_the_policy_asked_for_again(tmp_path):
    desk = Desk(tmp_path)
    desk.tell(interval_seconds=60)
    desk.step(0.0)
    (tmp_path / "policy").write_bytes((tmp_path / "policy").read_bytes()[:-3])
    desk.open()
    assert desk.book.policy is None
    assert str(tmp_path / "policy") in desk.book.trouble
    assert desk.step(1.0)
    assert desk.book.policy.interval_seconds == 60
    assert desk.book.trouble == ""


def test_an_older_version_is_refused_even_from_the_centre(tmp_path):
    desk = Desk(tmp_path)
    desk.tell(version=5)
    desk.step(0.0)
    with pytest.raises(PolicyError, match="version 4, expected at least 5"):
        desk.book.take(pack_policy(policy(version=4), desk.centre.sign))
