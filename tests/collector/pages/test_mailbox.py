"""Answers by mail: read out of a real mailbox, of somebody of ours, proven by what they quote, each taken once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from imap_server import Folder, imap_server
from paging_stage import PagingStage
from sqlalchemy import select, update
from stage import Stage, set_stage
from target_server import in_days, make_certificate
from test_replies import Town

from collector.errors import SettingsError
from collector.pages.answer_token import token_hash
from collector.pages.mail_reply import read_mail
from collector.pages.senders import channels_with_replies, mailbox_of
from collector.pages.tables import page_deliveries
from collector.settings import Settings
from collector.settings_channels import Channel, Outbound
from collector.store.engine import Store

TOKEN = "abcdEFGH1234_-78"
KIM = "From: =?utf-8?B?6rmA6rCA656M?= <kim@EXAMPLE.org>"


def channel(port: int, **more: object) -> Channel:
    table = {"host": "127.0.0.1", "sender": "bongsu@example.org", "security": "plain", "mailbox_host": "127.0.0.1",
             "mailbox_port": port, "mailbox_security": "plain", "mailbox_username": "bongsu", **more}  # fmt: skip
    return Channel("email", "smtp", table, {"mailbox_password": 'pass "word"'})


def town_at(store: Store, tmp_path: Path, box: Channel) -> Town:
    stage: Stage = set_stage(store, tmp_path)
    stage.settings = replace(stage.settings, channels=(box,), outbound=Outbound(private="127.0.0.1"))
    stage.answer_secret = b"k" * 32  # type: ignore[attr-defined]
    stage.windows = None  # type: ignore[attr-defined]
    made = Town(stage)
    made.person("kim", ("email", "Kim@example.org"))
    made.page(418, "email", "Kim@example.org", "k1")
    made.page(419, "email", "Kim@example.org", "k2")
    with store.transaction() as connection:
        of = page_deliveries
        connection.execute(update(of).where(of.c.page_key == "k2").values(answer_hash=token_hash(TOKEN)))
    return made


@pytest.fixture
def quick(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """SQLite alone: what is asked of rows here, ``test_replies`` asks of both."""
    shutil.copy(sqlite_template, tmp_path / "quick.db")
    made = Store(f"sqlite:///{tmp_path}/quick.db")
    yield made
    made.close()


@pytest.fixture
def folder() -> Iterator[Folder]:
    with imap_server() as made:
        yield made


def look(town: Town) -> None:
    next(job for job in town.office.jobs() if job.name == "mailbox_1").step(town.stage.clock.now)


def test_an_answer_is_taken_by_name_and_only_once(quick: Store, tmp_path: Path, folder: Folder) -> None:
    town = town_at(quick, tmp_path, channel(folder.port))
    folder.put(
        KIM,
        "In-Reply-To: <k1@bongsu.example>",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "인지 418",
        "",
        "> [긴급] …",
    )
    look(town)
    assert town.state(418) == ("acknowledged", "kim")
    assert folder.seen == {101}
    look(town)
    assert sum("FETCH" in one for one in folder.commands) == 1
    assert town.count("email", "acknowledged") == 1


def test_what_is_quoted_proves_it_where_a_server_changed_the_ids(quick: Store, tmp_path: Path, folder: Folder) -> None:
    town = town_at(quick, tmp_path, channel(folder.port))
    folder.put(KIM, "", "확인")
    folder.put("From: eve@example.org", "", "확인", "", f"> https://b/a/{TOKEN}")
    folder.put(KIM, "Auto-Submitted: auto-replied", "", "확인", "", f"> https://b/a/{TOKEN}")
    folder.put(KIM, "Precedence: bulk", "", "확인", "", f"> https://b/a/{TOKEN}")
    folder.put(KIM, "", "확인이 안 됩니다", "", f"> https://b/a/{TOKEN}")
    folder.put(KIM, "", "ack 418", "", f"> https://b/a/{TOKEN}")
    folder.put("From: kim@example.org, eve@example.org", "", "ack", "", f"> https://b/a/{TOKEN}")
    look(town)
    assert (town.state(418)[0], town.state(419)[0]) == ("triggered", "triggered")
    counted = {code: town.count("email", code) for code in ("not_proven", "unknown_sender", "not_understood", "which")}
    assert counted == {"not_proven": 1, "unknown_sender": 2, "not_understood": 3, "which": 1}
    folder.put(
        KIM,
        "Content-Type: text/html",
        "",
        f"<html><style>p{{}}</style><p>Ack</p><blockquote>wrote:<br><a href='https://b/a/{TOKEN}'>",
    )
    look(town)
    assert town.state(419) == ("triggered", ""), "an address in a tag's value is no text"
    folder.put(KIM, "Content-Type: text/html", "", f"<p>Ack&nbsp;</p><blockquote>&gt; https://b/a/{TOKEN}</blockquote>")
    look(town)
    assert town.state(419) == ("acknowledged", "kim")
    assert folder.seen == set(range(101, 110))


def test_who_answered_in_vain_is_told_but_no_machine_is(quick: Store, tmp_path: Path, folder: Folder) -> None:
    town = town_at(quick, tmp_path, channel(folder.port))

    def told() -> list[tuple[str, str]]:
        of = page_deliveries.c
        with quick.reading() as connection:
            rows = connection.execute(select(of).where(of.kind == "reply_refused").order_by(of.id)).all()
        return [(row.address, row.text.partition("\n")[0]) for row in rows]

    folder.put("From: eve@example.org", "In-Reply-To: <k1@b>", "", "what?")
    folder.put(KIM, "Auto-Submitted: auto-replied", "In-Reply-To: <k1@b>", "", "away")
    look(town)
    assert told() == []
    folder.put(KIM, "In-Reply-To: <k1@b>", "", "확인이 안 됩니다")
    folder.put(KIM, "In-Reply-To: <k1@b>", "", "뭐라고요")
    look(town)
    ((address, text),) = told()
    assert (address, "인지하려면" in text) == ("Kim@example.org", True)
    town.stage.clock.move(timedelta(seconds=601))
    folder.put(KIM, "", "확인")
    look(town)
    assert len(told()) == 2
    assert "어느 호출" in told()[1][1]
    assert (town.state(418)[0], town.state(419)[0]) == ("triggered", "triggered")


def test_a_server_that_dies_loses_no_answer(quick: Store, tmp_path: Path, folder: Folder) -> None:
    town = town_at(quick, tmp_path, channel(folder.port))
    folder.put(KIM, "References: <incident-418@b> <k1@b>", "", "ok")
    for command in ("LOGIN", "SELECT", "SEARCH", "FETCH", "STORE"):
        folder.dies_at = command
        look(town)
        assert folder.seen == set()
    assert town.count("email", "mailbox_away") == 5
    folder.dies_at = ""
    look(town)
    assert (town.state(418)[0], folder.seen) == ("acknowledged", {101})
    assert (town.count("email", "acknowledged"), town.count("email", "already")) == (1, 1), "seen twice, taken once"


def test_only_a_server_it_trusts_hears_the_password(quick: Store, tmp_path: Path) -> None:
    certificate, context = make_certificate(tmp_path, in_days(-1), in_days(1))
    with imap_server(context) as folder:
        folder.put(KIM, "In-Reply-To: <k1@b>", "", "ok")
        town = town_at(quick, tmp_path, channel(folder.port, mailbox_security="tls", mailbox_host="localhost"))
        look(town)
        assert folder.commands == []
        assert town.count("email", "mailbox_away") == 1
    with imap_server(context) as folder:
        folder.put(KIM, "In-Reply-To: <k1@b>", "", "ok")
        box = channel(folder.port, mailbox_security="tls", mailbox_host="localhost", mailbox_ca_file=str(certificate))
        town.office._mailboxes[0]._mailbox.options = mailbox_of(box)
        look(town)
        assert town.state(418)[0] == "acknowledged"


def test_broken_mails_are_read_as_far_as_they_go() -> None:
    for raw in (b"", b"\xff\xfe\x00", b"From: a@b\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xe9ack",
                b"From: =?nonsense?B?!!?= <a@b>\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
                b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n"):  # fmt: skip
        assert isinstance(read_mail(raw).text, str)
    assert read_mail(b"From: Kim <a@b>\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n"
                     b"\r\n<p>no</p>\r\n--x\r\nContent-Type: text/plain\r\n\r\nyes\r\n--x--\r\n").text.strip() == "yes"  # fmt: skip


def test_settings_are_whole_or_refused(tmp_path: Path) -> None:
    assert channels_with_replies(Settings(channels=(channel(1),))) == {"email"}
    for wrong in (
        replace(channel(1), name="sms"),
        replace(channel(1), environment={}),
        channel(1, mailbox_security="ssl"),
    ):
        with pytest.raises(SettingsError, match="mailbox_"):
            mailbox_of(wrong)


def test_a_mail_says_how_to_answer_it(quick: Store) -> None:
    stage = PagingStage(quick)
    stage.deliveries._with_replies = frozenset({"email"})
    stage.open()
    stage.run(1)
    (mail,) = stage.senders["email"].taken
    assert mail.text.rstrip().endswith("이 메일에 답장해도 됩니다.")
