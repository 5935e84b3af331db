"""A mailbox that is looked into for answers, over IMAP (RFC 9051; what is asked is in RFC 3501 too).

Mails that nobody has read are fetched without marking them, handed over, and marked as read: who dies in between sees them
again. So the mailbox has to be this collector's own, and read by nobody else.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.pages.door import Door, connected
from collector.pages.limit import Limit
from collector.pages.senders.base import SendError
from collector.pages.senders.options import Secret, option, secret

SECURITIES = ("tls", "starttls", "plain")
MOST_BYTES = 65_536
"""Of one mail: what its writer said comes first."""
AT_ONCE = 50
_QUOTED = re.compile(r'["\\]')


@dataclass(frozen=True, slots=True)
class Options:
    mailbox_host: str = option("", "the name of the IMAP server")
    mailbox_port: int = option(993, "a port number, 1 to 65535", least=1, most=65535)
    mailbox_security: str = option("tls", f"one of {', '.join(SECURITIES)}", choices=SECURITIES)
    mailbox_username: str = option("", "a user name")
    mailbox_password: Secret = secret("the user's password", needed=False)
    mailbox_folder: str = option("INBOX", "the name of a folder")
    mailbox_ca_file: str = option("", "the path of a PEM file with the authority of the server's certificate")
    mailbox_every_seconds: int = option(20, "a whole number of seconds, at least 5", least=5)
    mailbox_timeout_seconds: int = option(20, "a whole number of seconds, 1 to 50", least=1, most=50)


class Mailbox:
    def __init__(self, options: Options, door: Door) -> None:
        self.options, self._door = options, door

    def look(self, since: datetime, hand_over: Callable[[bytes], None]) -> int:
        """Hand over every unread mail since a day, oldest first, each marked as read after it was taken; how many.
        Raises SendError where the server cannot be talked to."""
        options = self.options
        addresses = self._door.way(options.mailbox_host, options.mailbox_port, is_ours=True)
        with Limit(options.mailbox_timeout_seconds) as limit:
            try:
                return self._talk(addresses, limit, since, hand_over)
            except (OSError, imaplib.IMAP4.error, ValueError) as why:
                host = options.mailbox_host
                if limit.is_over or isinstance(why, TimeoutError):
                    text = f"{host}: no whole answer in {options.mailbox_timeout_seconds} s"
                    raise SendError(text, False, "timeout") from why
                raise SendError(f"{host}: {type(why).__name__}: {_said(why)}", False, "unreachable") from why

    def _talk(self, addresses: list[str], limit: Limit, since: datetime, hand_over: Callable[[bytes], None]) -> int:
        options = self.options
        server = _Connection(addresses, options, limit, self._door)
        try:
            if options.mailbox_security == "starttls":
                server.starttls(self._door.trust(options.mailbox_ca_file))
                limit.watch(server.sock)
            server.login(_quoted(options.mailbox_username), _one_line(options.mailbox_password.read()))
            _good(server.select(_quoted(options.mailbox_folder)))
            found = _good(server.uid("SEARCH", "UNSEEN", "SINCE", imap_day(since)))
            uids = (found[0] or b"").split()[:AT_ONCE]
            for uid in uids:
                told = _good(server.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{MOST_BYTES}>)"))
                raw = next((part[1] for part in told if isinstance(part, tuple)), b"")
                hand_over(raw)
                _good(server.uid("STORE", uid.decode(), "+FLAGS.SILENT", r"(\Seen)"))
            return len(uids)
        finally:
            with suppress(OSError, imaplib.IMAP4.error):  # what was done is done, however it says goodbye
                server.logout()
            with suppress(OSError):
                server.shutdown()  # also where it could not say goodbye


class _Connection(imaplib.IMAP4):
    """To an address that was looked at already."""

    def __init__(self, addresses: list[str], options: Options, limit: Limit, door: Door) -> None:
        self._addresses, self._options, self._limit, self._door = addresses, options, limit, door
        super().__init__(options.mailbox_host, options.mailbox_port, timeout=options.mailbox_timeout_seconds)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        options = self._options
        found = connected(self._addresses, options.mailbox_port, timeout or options.mailbox_timeout_seconds)
        self._limit.watch(found)
        if options.mailbox_security != "tls":
            return found
        trust = self._door.trust(options.mailbox_ca_file)
        wrapped = trust.wrap_socket(found, server_hostname=options.mailbox_host, do_handshake_on_connect=False)
        self._limit.watch(wrapped)
        try:
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def imap_day(at: datetime) -> str:
    """``22-Nov-2026``, whatever language this machine speaks."""
    return f"{at.day:02}-{MONTHS[at.month - 1]}-{at.year}"


def _good(answer: tuple[str, Any]) -> list[Any]:
    said, data = answer
    if said != "OK":
        raise imaplib.IMAP4.error(f"{said} {data!r}")
    return list(data)


def _quoted(text: str) -> str:
    return '"' + _QUOTED.sub(lambda found: "\\" + found[0], text) + '"'


def _one_line(password: str) -> str:
    """imaplib quotes it by itself; a line end in it would be another command."""
    if not password.isprintable():
        raise ValueError("the password has a character that cannot be printed")
    return password


def _said(why: Exception) -> str:
    if isinstance(why, ssl.SSLCertVerificationError):
        return f"certificate: {why.verify_message}"
    text = why.strerror or why if isinstance(why, OSError) else why.args[0] if why.args else why
    return " ".join((text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)).split())[:200]
