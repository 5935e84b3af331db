"""E-mail, by one SMTP server of ours.

The key is the Message-ID, so that a mail sent twice is known as one; all mails of an incident refer to the same id, so that
a mail reader shows them as one talk. Nothing a page says can become a header or a command: line ends in a subject are
spaces, and an address that is not plainly one is refused before a connection is made.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

from collector.errors import SettingsError
from collector.pages.door import connected
from collector.pages.limit import Limit
from collector.pages.senders.base import Message, SendError
from collector.pages.senders.http import Ground
from collector.pages.senders.options import Secret, option, required, secret

SECURITIES = ("starttls", "tls", "plain")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")
SUBJECT_LETTERS = 200


@dataclass(frozen=True, slots=True)
class Options:
    host: str = required("the name of the mail server")
    sender: str = required("the address mails come from")
    port: int = option(587, "a port number, 1 to 65535", least=1, most=65535)
    security: str = option("starttls", f"one of {', '.join(SECURITIES)}", choices=SECURITIES)
    sender_name: str = option("Bongsu", "the name mails come from")
    reply_to: str = option("", "the address that reads answers, where answers by mail are taken")
    username: str = option("", "a user name, where the server asks for one")
    password: Secret = secret("the user's password", needed=False)
    ca_file: str = option("", "the path of a PEM file with the authority of the server's certificate")
    timeout_seconds: int = option(30, "a whole number of seconds, 1 to 50", least=1, most=50)


class SmtpSender:
    def __init__(self, name: str, options: Options, ground: Ground) -> None:
        """Raises SettingsError."""
        self._options, self._ground = options, ground
        for key in ("sender", "reply_to"):
            value = getattr(options, key)
            if value and not is_mailbox(value):
                raise SettingsError(f"[[channels]] {name}: {key} = {value!r}: expected a mail address")
        if bool(options.username) != bool(options.password):
            raise SettingsError(f"[[channels]] {name}: username and password_file only work together")

    def send(self, message: Message) -> str:
        if not is_mailbox(message.address):
            raise SendError(f"{message.address!r}: expected a mail address, such as kim@example.org", True, "address")
        now = datetime.fromtimestamp(self._ground.clock.wall_ms() / 1000, UTC)
        mail = written(message, self._options, now)
        options = self._options
        addresses = self._ground.door.way(options.host, options.port, is_ours=True)
        with Limit(options.timeout_seconds) as limit:
            try:
                return self._talk(addresses, limit, mail, message.address)
            except SendError:
                raise
            except (OSError, smtplib.SMTPException, ValueError) as why:
                if limit.is_over or isinstance(why, TimeoutError):
                    text = f"{options.host}: no whole answer in {options.timeout_seconds} s"
                    raise SendError(text, False, "timeout") from why
                raise said_by(options.host, why) from why

    def _talk(self, addresses: list[str], limit: Limit, mail: EmailMessage, to: str) -> str:
        options = self._options
        server = _Connection(addresses, options, limit, self._ground)
        try:
            if options.security == "starttls":
                server.starttls(context=self._ground.door.trust(options.ca_file))
                assert server.sock is not None
                limit.watch(server.sock)
            if options.username:
                server.login(options.username, options.password.read())
            server.sendmail(options.sender, [to], mail.as_bytes(policy=SMTP_POLICY))
            with suppress(OSError):  # it has the mail: how it says goodbye changes nothing
                server.quit()
            return server.receipt
        finally:
            server.close()


class _Connection(smtplib.SMTP):
    """To an address that was looked at already, and with the server's last word of a mail kept."""

    receipt = ""

    def __init__(self, addresses: list[str], options: Options, limit: Limit, ground: Ground) -> None:
        self._addresses, self._options, self._limit, self._ground = addresses, options, limit, ground
        # The name we give ourselves: the sender's domain, and not this machine's, which is nobody's business.
        super().__init__(local_hostname=options.sender.partition("@")[2], timeout=options.timeout_seconds)
        self._host = options.host  # what starttls verifies
        try:
            code, text = self.connect(options.host, options.port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, text)
        except BaseException:
            self.close()
            raise

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found = connected(self._addresses, port, timeout)
        self._limit.watch(found)
        if self._options.security != "tls":
            return found
        try:
            trust = self._ground.door.trust(self._options.ca_file)
            wrapped = trust.wrap_socket(found, server_hostname=host, do_handshake_on_connect=False)
            self._limit.watch(wrapped)
            wrapped.do_handshake()
        except BaseException:
            found.close()
            raise
        return wrapped

    def data(self, msg: bytes | str) -> tuple[int, bytes]:  # type: ignore[override]
        code, text = super().data(msg)
        self.receipt = " ".join(text.decode("utf-8", "replace").split())[:200]
        return code, text


def written(message: Message, options: Options, now: datetime) -> EmailMessage:
    domain = options.sender.partition("@")[2]
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = Address(one_line(options.sender_name), addr_spec=options.sender)
    mail["To"] = Address(addr_spec=message.address)
    if options.reply_to:
        mail["Reply-To"] = Address(addr_spec=options.reply_to)
    mail["Subject"] = one_line(message.subject)[:SUBJECT_LETTERS]
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{re.sub(r'[^A-Za-z0-9._-]', '_', message.key)}@{domain}>"
    if message.incident is not None:
        mail["References"] = f"<incident-{message.incident}@{domain}>"
        mail["Bongsu-Incident"] = str(message.incident)
    mail["Auto-Submitted"] = "auto-generated"
    mail["Bongsu-Kind"] = one_line(message.kind)
    if message.severity == "critical":
        mail["Importance"] = "high"
    text = message.text if not message.link or message.link in message.text else f"{message.text}\n\n{message.link}"
    text = "\n".join("".join(filter(_is_text, line)) for line in text.splitlines())
    mail.set_content(text + "\n", charset="utf-8", cte="base64")
    return mail


def is_mailbox(text: str) -> bool:
    return bool(_MAILBOX.fullmatch(text)) and ".." not in text


def one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _is_text(letter: str) -> bool:
    return letter.isprintable() or letter == "\t"


def said_by(host: str, why: Exception) -> SendError:
    """What a failure of the library means for the next try."""
    if isinstance(why, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(why.recipients.values()))
        return _reply(host, code, text, "address")
    if isinstance(why, smtplib.SMTPAuthenticationError):
        return _reply(host, why.smtp_code, why.smtp_error, "settings")
    if isinstance(why, smtplib.SMTPSenderRefused):
        return _reply(host, why.smtp_code, why.smtp_error, "settings")
    if isinstance(why, smtplib.SMTPDataError):
        return _reply(host, why.smtp_code, why.smtp_error, "message")
    if isinstance(why, smtplib.SMTPResponseException):
        return _reply(host, why.smtp_code, why.smtp_error, "unavailable")
    if isinstance(why, smtplib.SMTPNotSupportedError):
        return SendError(f"{host}: {why}; see security and username of this channel", True, "settings")
    if isinstance(why, ssl.SSLCertVerificationError):
        return SendError(f"{host}: certificate: {why.verify_message}", False, "unreachable")
    if isinstance(why, ValueError):
        return SendError(f"{host}: {why}", True, "message")
    return SendError(f"{host}: {type(why).__name__}: {why}", False, "unreachable")


def _reply(host: str, code: int, text: bytes | str, reason: str) -> SendError:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    is_final = 500 <= code < 600
    return SendError(f"{host}: {code} {' '.join(words.split())[:200]}", is_final, reason if is_final else "unavailable")
