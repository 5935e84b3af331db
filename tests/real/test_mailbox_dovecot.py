"""Answers read out of a real Dovecot: in the clear, by STARTTLS and by TLS, marked as read, each once."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dovecot import PASSWORD, dovecot
from real import require
from target_server import in_days, make_certificate

from collector.pages.door import Door
from collector.pages.mail_reply import read_mail
from collector.pages.senders.base import SendError
from collector.pages.senders.mailbox import Mailbox, Options
from collector.pages.senders.options import Secret
from collector.settings_channels import Outbound

pytestmark = [pytest.mark.real, pytest.mark.slow]
MAIL = ("From: Kim <kim@example.org>", "In-Reply-To: <k1@bongsu.example>", "Subject: Re: x", "", "인지", "")


def test_mails_are_taken_and_marked(tmp_path: Path) -> None:
    program = require("dovecot")
    certificate, _ = make_certificate(tmp_path, in_days(-1), in_days(1))
    os.chmod(tmp_path / "server.key", 0o644)  # the server is another user here
    with dovecot(program, tmp_path / "d", certificate, tmp_path / "server.key") as server:
        server.put("1.a", *MAIL)

        def look(port: int, **more: str) -> list[str]:
            options = Options(
                mailbox_host="localhost", mailbox_port=port, mailbox_username="bongsu",
                mailbox_password=Secret(value=more.pop("password", PASSWORD)), **more,
            )  # fmt: skip
            found: list[str] = []
            box = Mailbox(options, Door(Outbound(private="localhost")))
            box.look(datetime(2020, 1, 1, tzinfo=UTC), lambda raw: found.append(read_mail(raw).text.strip()))
            return found

        assert look(server.port, mailbox_security="plain") == ["인지"]
        assert server.read() == ["1.a"]
        assert look(server.port, mailbox_security="plain") == []
        server.put("2.b", *MAIL[:-2], "확인 418", "> " * 40_000)
        with pytest.raises(SendError, match="certificate"):
            look(server.port, mailbox_security="starttls")
        trust = {"mailbox_ca_file": str(certificate)}
        assert [text[:6] for text in look(server.port, mailbox_security="starttls", **trust)] == ["확인 418"]
        server.put("3.c", *MAIL)
        assert look(server.secure_port, mailbox_security="tls", **trust) == ["인지"]
        assert server.read() == ["1.a", "2.b", "3.c"]
        with pytest.raises(SendError, match="AUTHENTICATIONFAILED"):
            look(server.port, mailbox_security="plain", password="wrong")
        with pytest.raises(SendError, match="Mailbox doesn't exist"):
            look(server.port, mailbox_security="plain", mailbox_folder="Nothing")
