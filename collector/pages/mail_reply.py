r"""A mail as an answer: who wrote it, which page it answers, and what its writer said themselves. Pure.

From: Kim <kim@example.org>
In-Reply-To: <4f1a…@bongsu.example.org>        the page's key
Auto-Submitted: auto-replied                   written by nobody

확인

> 확인 (인지): https://bongsu.example.org/a/abcdEFGH12345678      what is quoted proves it where a server changed the ids
"""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from html import unescape

from collector.pages.reply_take import Incoming

MOST_TEXT = 20_000
MOST_TOKENS = 20
_TOKEN = re.compile(r"/a/([A-Za-z0-9_-]{16})(?![A-Za-z0-9_-])")
_TAG = re.compile(r"<(?:style|script)\b.*?</(?:style|script)>|<[^>]*>", re.DOTALL | re.I)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|hr|blockquote)\b[^>]*>", re.I)


def read_mail(raw: bytes) -> Incoming:
    """Whatever was sent, in however bad a shape; without a sender where it has none, or several."""
    mail = message_from_bytes(raw, policy=policy.compat32)
    senders = [address for _, address in getaddresses([_header(mail, "From")]) if address]
    text = _text(mail)
    is_bulk = _header(mail, "Precedence").lower() in ("bulk", "junk", "auto_reply")
    return Incoming(
        sender=senders[0] if len(senders) == 1 else "",
        text=text[:MOST_TEXT],
        reference=f"{_header(mail, 'In-Reply-To')} {_header(mail, 'References')}"[:4000],
        auto_submitted=_header(mail, "Auto-Submitted")[:100] or ("auto-replied" if is_bulk else ""),
        tokens=tuple(dict.fromkeys(_TOKEN.findall(text)))[:MOST_TOKENS],
    )


def _header(mail: Message, name: str) -> str:
    value = str(mail.get(name, ""))
    try:
        return " ".join(str(make_header(decode_header(value))).split())
    except (ValueError, LookupError, UnicodeError):
        return " ".join(value.split())


def _text(mail: Message) -> str:
    """The first plain text; where there is none, the words of the first HTML."""
    marked = ""
    for part in mail.walk():
        if part.is_multipart() or part.get_content_disposition() == "attachment":
            continue
        kind = part.get_content_type()
        if kind == "text/plain":
            return _decoded(part)
        if kind == "text/html" and not marked:
            marked = _decoded(part)
    return unescape(_TAG.sub("", _BREAK.sub("\n", marked)))


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset() or "utf-8"
    try:
        return data[: 4 * MOST_TEXT].decode(charset, "replace")
    except LookupError:
        return data[: 4 * MOST_TEXT].decode("utf-8", "replace")
