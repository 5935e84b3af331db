"""A real SMTP server (aiosmtpd), in a thread: it keeps what came, and refuses what the test says."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session


@dataclass
class Mailbox:
    at_rcpt: str = "250 OK"
    at_data: str = "250 2.0.0 Ok: queued as 4F1A"
    at_mail: str = "250 OK"
    is_rude: bool = False
    """Hangs up in place of a goodbye."""
    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    async def handle_MAIL(self, _server: Server, _session: Session, envelope: Envelope, address: str, _o: Any) -> str:
        if self.at_mail.startswith("2"):
            envelope.mail_from = address
        return self.at_mail

    async def handle_RCPT(self, _server: Server, _session: Session, envelope: Envelope, address: str, _o: Any) -> str:
        if self.at_rcpt.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.at_rcpt

    async def handle_DATA(self, _server: Server, _session: Session, envelope: Envelope) -> str:
        if self.at_data.startswith("2"):
            content = cast("bytes", envelope.content)
            self.raw.append(content)
            mail = cast("EmailMessage", message_from_bytes(content, policy=default))
            self.mails.append((envelope.mail_from or "", list(envelope.rcpt_tos), mail))
        return self.at_data

    async def handle_QUIT(self, server: Server, _session: Session, _envelope: Envelope) -> str:
        if self.is_rude:
            server.transport.abort()
        return "221 Bye"

    def authenticate(
        self, _server: Server, _s: Session, _e: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        pair = (data.login.decode(), data.password.decode())
        self.logins.append(pair)
        return AuthResult(success=pair == ("bongsu", "pass word"), handled=False)


@contextmanager
def mail_server(
    context: ssl.SSLContext | None = None, *, is_tls: bool = False, needs_login: bool = False
) -> Iterator[Mailbox]:
    """``context`` alone: STARTTLS; with ``is_tls``: TLS from the first byte."""
    box = Mailbox()
    options: dict[str, Any] = {"hostname": "mail.example.org"}
    if context is not None and not is_tls:
        options |= {"tls_context": context, "require_starttls": True}
    if needs_login:
        options |= {"authenticator": box.authenticate, "auth_required": True, "auth_require_tls": context is not None}

    class Here(Controller):
        def factory(self) -> Server:
            return Server(self.handler, **options)

    import socket

    with socket.create_server(("127.0.0.1", 0)) as found:
        box.port = found.getsockname()[1]
    controller = Here(box, hostname="127.0.0.1", port=box.port, ssl_context=context if is_tls else None)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
