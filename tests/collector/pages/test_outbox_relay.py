"""A closed network's pages as signed files, the relay that sends them, and what comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from centre import HandClock
from gateway import a_message
from sqlalchemy import insert, select

from collector.pages.door import Door
from collector.pages.relay_box import FolderBox
from collector.pages.relay_receipts import ReceiptJob
from collector.pages.relay_send import FAILED, NOT_OURS, SENT, WAITING, Relay
from collector.pages.senders import made
from collector.pages.senders.base import Message, SendError
from collector.pages.senders.relay import PAGE, RECEIPT, RelaySender, name_of, names, read_signed
from collector.pages.tables import page_deliveries
from collector.settings import Settings
from collector.settings_channels import Channel, Outbound
from collector.store.engine import Store
from collector.store.schema import instant


class Gate:
    """A sender that does as it is told."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.fails: SendError | None = None

    def send(self, message: Message) -> str:
        if self.fails is not None:
            raise self.fails
        self.sent.append(message)
        return "rq-9"


class Both:
    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.gate = folder, HandClock(), Gate()
        self.inside = self.sender("sms", "s3cret")
        self.outside = Relay(FolderBox(folder, "s3cret"), {"sms": self.gate}, self.clock)

    def sender(self, name: str, key: str) -> RelaySender:
        table: dict[str, Any] = {"folder": str(self.folder)}
        channel = Channel(name, "relay", table, {"secret": key})
        found = made(Settings(), channel, Door(Outbound()), self.clock)
        assert isinstance(found, RelaySender)
        return found

    def receipt(self) -> dict[str, Any]:
        return dict(read_signed(self.folder, RECEIPT, name_of(a_message().key), "s3cret"))


@pytest.fixture
def both(tmp_path: Path) -> Both:
    return Both(tmp_path / "outbox")


def test_there_and_back(both: Both) -> None:
    assert both.inside.send(a_message()) == f"outbox:{name_of(a_message().key)}"
    both.inside.send(a_message())
    assert len(list(names(both.folder, PAGE))) == 1, "the same page is one file"
    (file,) = (both.folder / "out").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert both.outside.step() == {SENT: 1}
    assert both.gate.sent == [a_message()], "every field, Korean and all"
    assert not list(names(both.folder, PAGE))
    assert (both.receipt()["state"], both.receipt()["receipt"]) == ("sent", "rq-9")
    both.inside.send(a_message())  # written again, as after a crash of the collector
    assert both.outside.step() == {SENT: 1}
    assert len(both.gate.sent) == 1, "its receipt is still there, so it is not sent again"


def test_what_is_refused_and_what_waits(both: Both) -> None:
    both.inside.send(a_message())
    both.gate.fails = SendError("HTTP 503", False, "unavailable")
    assert both.outside.step() == {WAITING: 1}
    both.gate.fails = None
    assert both.outside.step() == {WAITING: 1}, "not before its time"
    both.clock.now_ms += 5_000
    assert both.outside.step() == {SENT: 1}
    (both.folder / "receipts").rename(both.folder / "gone")
    both.inside.send(a_message())
    both.gate.fails = SendError("no such number", True, "address")
    assert both.outside.step() == {FAILED: 1}
    assert (both.receipt()["reason"], both.receipt()["error"]) == ("address", "no such number")


def test_too_old_and_no_channel(both: Both) -> None:
    both.inside.send(a_message())
    both.clock.now_ms += 3_600_000
    assert both.outside.step() == {FAILED: 1}
    assert both.receipt()["error"] == "too old to be sent"
    both.sender("email", "s3cret").send(a_message(key="other"))
    assert both.outside.step() == {FAILED: 1}
    assert not both.gate.sent


def test_files_that_are_not_ours(both: Both, tmp_path: Path) -> None:
    both.inside.send(a_message())
    (file,) = (both.folder / "out").iterdir()
    good = file.read_bytes()
    body, _, signed = good.partition(b"\n")
    changed = json.dumps(json.loads(body) | {"channel": "email"}).encode()
    secret = tmp_path / "secret"
    secret.write_text("x")
    for bad in (b"", b"\n", body, changed + b"\n" + signed, good[:-20], b"x" * 100_000, good.replace(b"kim", b"lee")):
        file.write_bytes(bad)
        assert both.outside.step() == {NOT_OURS: 1}, bad[:40]
    file.write_bytes(good)
    file.rename(file.with_name("0" * 32 + ".page"))  # a page under another's name would get another's receipt
    (both.folder / "out" / "../evil.page").write_bytes(good)
    (both.folder / "out" / "readme.txt").write_bytes(good)
    (both.folder / "out" / ("1" * 32 + ".page")).symlink_to(secret)
    assert both.outside.step() == {NOT_OURS: 1}
    assert not both.gate.sent


def _row(key: str, at_ms: int) -> dict[str, Any]:
    other = {"channel": "email", "address": "kim@example.org", "subject": "s", "text": "t", "short": "s", "fields": {}}
    return {
        "page_key": key,
        "root": key,
        "incident": None,
        "person": "kim",
        "channel": "sms",
        "address": "010-1234-5678",
        "site": "",
        "agency": "",
        "kind": "trigger",
        "severity": "critical",
        "language": "ko",
        "state": "sent",
        "due_at": instant(at_ms),
        "attempts": 1,
        "subject": "s",
        "text": "t",
        "data": {"short": "s", "fields": {}, "others": [other]},
        "created_at": instant(at_ms),
        "sent_at": instant(at_ms),
        "receipt": f"outbox:{name_of(key)}",
        "reason": "",
        "error": "",
        "answered_way": "",
    }


def test_receipts_become_rows_and_no_receipt_is_a_failure(both: Both, store: Store) -> None:
    job = ReceiptJob(store, {"sms": both.inside}, b"k" * 32)
    assert job.is_needed
    at = both.clock.now_ms
    with store.transaction() as connection:
        for key in ("good", "bad", "lost"):
            connection.execute(insert(page_deliveries), _row(key, at))
            both.inside.send(a_message(key=key))

    def states() -> dict[str, tuple[str, str, str]]:
        of = page_deliveries.c
        with store.reading() as connection:
            rows = connection.execute(select(of.page_key, of.channel, of.state, of.receipt, of.reason)).all()
        return {row.page_key if row.page_key in ("good", "bad", "lost") else row.channel: row[2:] for row in rows}

    outbox = both.folder / "out"
    lost = outbox / f"{name_of('lost')}.page"
    lost.rename(both.folder / "lost")
    (outbox / f"{name_of('bad')}.page").rename(both.folder / "bad")
    both.outside.step()
    (both.folder / "bad").rename(outbox / f"{name_of('bad')}.page")
    both.gate.fails = SendError("no such number", True, "address")
    both.outside.step()
    job.step(instant(at + 1000))
    assert states()["good"] == ("sent", "rq-9", "")
    assert states()["bad"][::2] == ("failed", "address")
    assert states()["lost"][0] == "sent"
    assert states()["email"][0] == "queued", "the person's next way, once"
    assert not list(names(both.folder, RECEIPT))
    job.step(instant(at + 181_000))
    assert states()["lost"][::2] == ("failed", "timeout")
    assert states()["good"] == ("sent", "rq-9", "")
