"""Mail to a real SMTP server: what arrives, what a refusal means, and that no word of a page becomes a header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from centre import HandClock
from gateway import a_message
from mail_server import mail_server
from target_server import Target, in_days, make_certificate, running

from collector.errors import SettingsError
from collector.pages.door import Door
from collector.pages.senders import made
from collector.pages.senders.base import Sender, SendError
from collector.settings import Settings
from collector.settings_channels import Channel, Outbound

KIM = "kim@example.org"


def sender(at: int, secrets: dict[str, str] | None = None, **table: Any) -> Sender:
    table = {"host": "localhost", "port": at, "sender": "bongsu@example.org", "security": "plain", **table}
    door = Door(Outbound(), lambda _host, _port: ["127.0.0.1"])
    return made(Settings(), Channel("email", "smtp", table, secrets or {}), door, HandClock())


def test_a_mail_as_it_arrives() -> None:
    with mail_server() as box:
        mailer = sender(box.port, reply_to="answers@example.org", sender_name="봉수")
        assert mailer.send(a_message(address=KIM)) == "2.0.0 Ok: queued as 4F1A"
        ((sent_from, to, mail),) = box.mails
        assert (sent_from, to) == ("bongsu@example.org", [KIM])
        assert {name: mail[name] for name in mail if name not in ("X-Peer", "X-MailFrom", "X-RcptTo")} == {
            "From": "봉수 <bongsu@example.org>",
            "To": KIM,
            "Reply-To": "answers@example.org",
            "Subject": "[긴급] 아부자 전원 장애 #418",
            "Date": "Mon, 21 Sep 2026 14:13:20 +0000",
            "Message-ID": "<0f3a9c1e-7-1-kim-sms@example.org>",
            "References": "<incident-418@example.org>",
            "Bongsu-Incident": "418",
            "Auto-Submitted": "auto-generated",
            "Bongsu-Kind": "trigger",
            "Importance": "high",
            "Content-Type": 'text/plain; charset="utf-8"',
            "Content-Transfer-Encoding": "base64",
            "MIME-Version": "1.0",
        }
        text = "아부자 공관의 전원이 끊겼습니다.\n시작 01:42\n\nhttps://bongsu.example.org/a/tok3n\n"
        assert mail.get_content().replace("\r\n", "\n") == text
        assert box.raw[0].isascii(), "any server takes it"
        mailer.send(a_message(address=KIM))
        assert box.mails[1][2]["Message-ID"] == mail["Message-ID"], "the same on every try"


def test_poison_makes_no_header_and_no_command() -> None:
    poison = "x\r\nBcc: all@example.org\r\n\r\n<h1>\r\n.\r\nRCPT TO:<evil@example.org>\r\n\x00\u2028"
    with mail_server() as box:
        mailer = sender(box.port)
        mailer.send(a_message(address=KIM, subject=poison, text=poison, key=poison, kind=poison, link=""))
        _, to, mail = box.mails[0]
        assert to == [KIM]
        assert mail["Bcc"] is None
        assert mail["Subject"] == "x Bcc: all@example.org <h1> . RCPT TO:<evil@example.org>"
        assert mail["Message-ID"].endswith("@example.org>")
        assert len(mail["Message-ID"].split()) == 1
        bad = (
            f"{KIM}\r\nRCPT TO:<e@x>",
            f"{KIM}, e@x.org",
            "<kim>@x",
            "",
            "kim",
            f"a b <{KIM}>",
            "김@example.org",
            "a@b..c",
        )
        for address in bad:
            with pytest.raises(SendError) as why:
                mailer.send(a_message(address=address))
            assert (why.value.permanent, why.value.reason) == (True, "address")
        assert len(box.mails) == 1


@pytest.mark.parametrize(
    ("place", "said", "permanent", "reason"),
    [
        ("at_rcpt", "550 5.1.1 no such user", True, "address"),
        ("at_rcpt", "450 4.2.0 greylisted", False, "unavailable"),
        ("at_mail", "553 5.7.1 not your address", True, "settings"),
        ("at_mail", "452 4.3.1 full", False, "unavailable"),
        ("at_data", "554 5.7.1 spam", True, "message"),
        ("at_data", "421 4.3.2 shutting down", False, "unavailable"),
    ],
)
def test_what_a_refusal_means(place: str, said: str, permanent: bool, reason: str) -> None:
    with mail_server() as box:
        setattr(box, place, said)
        with pytest.raises(SendError, match=said.split(" ", 2)[2]) as why:
            sender(box.port).send(a_message(address=KIM))
        assert (why.value.permanent, why.value.reason) == (permanent, reason)


def test_starttls_tls_and_login(tmp_path: Path) -> None:
    ca, context = make_certificate(tmp_path, in_days(-1), in_days(1))
    secure = {"ca_file": str(ca), "username": "bongsu", "security": "starttls"}
    with mail_server(context, needs_login=True) as box:
        sender(box.port, {"password": "pass word"}, **secure).send(a_message(address=KIM))
        assert box.logins[-1] == ("bongsu", "pass word")
        assert len(box.mails) == 1
        cases: tuple[tuple[dict[str, Any], str, bool, str], ...] = (
            (secure, "wrong", True, "settings"),  # 535
            (secure | {"ca_file": ""}, "pass word", False, "unreachable"),  # nobody we know signed its certificate
            (secure | {"security": "plain"}, "pass word", True, "settings"),  # it will not hear a password in the clear
        )
        for table, password, permanent, reason in cases:
            with pytest.raises(SendError) as why:
                sender(box.port, {"password": password}, **table).send(a_message(address=KIM))
            assert (why.value.permanent, why.value.reason) == (permanent, reason), why.value.text
        assert len(box.mails) == 1
    with mail_server(context, is_tls=True) as box:
        sender(box.port, ca_file=str(ca), security="tls").send(a_message(address=KIM))
        assert len(box.mails) == 1
    with mail_server() as box, pytest.raises(SendError, match="STARTTLS") as why:  # taken away, perhaps by who listens
        sender(box.port, security="starttls").send(a_message(address=KIM))
    assert why.value.permanent
    assert not box.mails


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "unreachable"),
        (b"554 go away\r\n", "unavailable"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "unavailable"),
        (b"220 hello\r\n250 ok\r\n250 ok\r\n", "unreachable"),
    ],
)
def test_what_is_no_mail_server(answer: bytes, reason: str) -> None:
    with running(Target(answer=answer, greets=True)) as target, pytest.raises(SendError) as why:
        sender(target.port).send(a_message(address=KIM))
    assert why.value.reason == reason, why.value.text


def test_how_it_says_goodbye_changes_nothing() -> None:
    with mail_server() as box:
        box.is_rude = True
        assert "queued" in sender(box.port).send(a_message(address=KIM))


def test_one_that_drips_is_cut_off() -> None:
    with (
        running(Target(answer=b"220-hello\r\n" * 100, greets=True, drip=0.05)) as target,
        pytest.raises(SendError) as why,
    ):
        sender(target.port, timeout_seconds=1).send(a_message(address=KIM))
    assert (why.value.reason, why.value.permanent) == ("timeout", False)


def test_settings_that_cannot_be() -> None:
    for table, text in (
        ({"sender": "x"}, "sender = 'x': expected a mail address"),
        ({"reply_to": "a@b\nc"}, "expected one line"),
        ({"security": "ssl"}, "expected one of starttls, tls, plain"),
        ({"username": "u"}, "username and password_file only work together"),
        ({"password": "p"}, "password: a secret: expected password_file"),
        ({"prot": 3}, "prot: unknown key of kind smtp; did you mean 'port'?"),
        ({"port": 0}, "port = 0: expected a port number"),
        ({"port": True}, "port = True: expected a port number"),
        ({"host": ""}, "host: missing"),
        ({"password_file": "/nowhere"}, "no such file"),
    ):
        with pytest.raises(SettingsError) as why:
            sender(25, None, **table)  # type: ignore[arg-type]
        assert text in str(why.value), (table, str(why.value))
        assert "[[channels]] email" in str(why.value)
