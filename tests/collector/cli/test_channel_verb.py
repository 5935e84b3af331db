"""``bongsu channel``, ``bongsu relay-send`` and what doctor says of channels, against little servers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gateway import Gateway, a_message, answer, serving
from mail_server import mail_server

from agent.link.clock import SystemClock
from collector.cli import main
from collector.cli.finding import FAIL, OK, WARN, Finding
from collector.cli.paging_findings import channel_findings, watch_findings
from collector.pages.door import Door
from collector.pages.senders import made
from collector.settings import Settings
from collector.settings_channels import Channel, Outbound
from collector.settings_read import load


def said(capsys: pytest.CaptureFixture[str], *argv: str, status: int = 0) -> tuple[str, str]:
    assert main(list(argv)) == status
    out, error = capsys.readouterr()
    return out, error


def config(tmp_path: Path, text: str) -> Path:
    (tmp_path / "secret").write_text("s3cret\n")
    file = tmp_path / "collector.toml"
    file.write_text(text.replace("SECRET", str(tmp_path / "secret")))
    return file


def hook(gateway: Gateway, name: str = "webhook") -> str:
    return f'[[channels]]\nname = "{name}"\nkind = "webhook"\nurl = "{gateway.url}/in"\nsecret_file = "SECRET"\n'


def test_a_test_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as gateway:
        gateway.then = answer(200, {"id": "r-1"})
        file = str(config(tmp_path, hook(gateway)))
        out, _ = said(capsys, "channel", "test", "webhook", "kim", "--config", file)
        assert out.startswith("webhook took it, receipt r-1 (key test-")
        assert gateway.last.json["subject"] == "[시험] 봉수 통지 시험입니다"
        assert gateway.last.json["link"] == "", "there is nothing to answer"
        gateway.then = answer(503)
        _, error = said(capsys, "channel", "test", "webhook", "kim", "--config", file, status=1)
        assert "webhook did not send, for now (unavailable): HTTP 503" in error
        out, _ = said(capsys, "channel", "test", "webhook", "kim", "--config", file, "--json", status=1)
        assert json.loads(out)["reason"] == "unavailable"
        _, error = said(capsys, "channel", "test", "web", "kim", "--config", file, status=1)
        assert "did you mean 'webhook'?" in error
        assert "s3cret" not in out + error


def test_a_test_mail_through_a_real_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mail_server() as box:
        text = '[[channels]]\nname = "email"\nkind = "smtp"\nhost = "127.0.0.1"\nsender = "bongsu@example.org"\n'
        file = str(config(tmp_path, f'{text}port = {box.port}\nsecurity = "plain"\n'))
        out, _ = said(capsys, "channel", "test", "email", "kim@example.org", "--config", file, "--language", "en")
        assert "queued as" in out
        assert box.mails[0][2]["Subject"] == "[Test] This is a test of Bongsu"


def test_list_and_doctor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    none = str(config(tmp_path, ""))
    assert "nobody can be paged" in said(capsys, "channel", "list", "--config", none)[0]
    assert channel_findings(Settings()) == [
        Finding("C014", WARN, "channels", "none set, so nobody can be paged; configs/channels.toml shows them")
    ]
    assert [one.id for one in watch_findings(Settings(), is_hub=True)] == ["C017"], "the rest is the centre's matter"
    with serving() as gateway:
        text = hook(gateway) + 'reply_secret_file = "SECRET"\n' + hook(gateway, "slak")
        file = config(tmp_path, text)
        out, _ = said(capsys, "channel", "list", "--config", str(file), "--json", status=1)
        good, bad = json.loads(out)
        assert (good["answers"], good["problem"], bad["answers"]) == (True, "", False)
        assert "did you mean 'slack'?" in bad["problem"]
        assert [(one.result, one.subject) for one in channel_findings(load(file, {}))] == [
            (OK, "channel webhook"),
            (FAIL, "channel slak"),
        ]
        (tmp_path / "secret").write_text("")
        assert "is empty" in channel_findings(load(file, {}))[0].text
        assert not gateway.heard, "looking sends nothing"
    (wrong,) = channel_findings(load(config(tmp_path, f'[outbound]\nallow = "10.0.0.0/40"\n{hook(Gateway())}'), {}))
    assert (wrong.result, "expected a host" in wrong.text) == (FAIL, True)


def test_the_relay_sends_what_was_carried_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "outbox"
    table = {"folder": str(folder)}
    inside = made(Settings(), Channel("webhook", "relay", table, {"secret": "s3cret"}), Door(Outbound()), SystemClock())
    with serving() as gateway:
        file = str(config(tmp_path, hook(gateway)))
        secret = ("--secret-file", str(tmp_path / "secret"), "--config", file)
        assert "no such folder" in said(capsys, "relay-send", str(folder), *secret, status=1)[1]
        inside.send(a_message())
        assert said(capsys, "relay-send", str(folder), *secret)[0] == "1 sent\n"
        assert gateway.last.headers["Idempotency-Key"] == a_message().key
        inside.send(a_message(key="another"))
        gateway.then = answer(400, {"why": "bad"})
        out, error = said(capsys, "relay-send", str(folder), *secret, "--json", status=1)
        assert (json.loads(out), "HTTP 400" in error) == ({"failed": 1}, True)
    assert (
        "no [[channels]]"
        in said(capsys, "relay-send", str(folder), *secret[:2], "--config", str(config(tmp_path, "")), status=1)[1]
    )
