"""A page as the row that is kept until it left: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from collector.pages.answer_token import PATH, token_hash, token_of
from collector.pages.page import ANSWERED, LINK, QUEUED, Delivery, Route, page_key
from collector.pages.pipeline import Outgoing
from collector.pages.senders.base import Message
from collector.pages.senders.sms_text import SMS_BYTES, euc_kr_bytes
from collector.pages.wording import Worded
from collector.pages.words import say

MOST_SUBJECT = 400
MAIL = "email"
SPOKEN = "phone"
"""Says itself what to press."""


def row_of(
    out: Outgoing,
    *,
    kind: str,
    severity: str,
    uid: str,
    timer: int,
    step: int,
    now: datetime,
    secret: bytes,
    incident: int | None = None,
    site: str = "",
    agency: str = "",
) -> dict[str, Any]:
    (route, worded), *others = out.ways
    key = page_key(uid, timer, out.person, route.channel, route.address)
    return {
        "page_key": key,
        "incident": incident,
        "person": out.person,
        "site": site,
        "agency": agency,
        "kind": kind,
        "severity": severity,
        "language": out.language,
        "due_at": out.due_at,
        "created_at": now,
        **_said(key, kind, route, worded, secret),
        "data": _data(worded, others) | {"step": step, "why": out.why, "team": out.team},
    }


def fallback_row(page: Delivery, now: datetime, secret: bytes) -> dict[str, Any] | None:
    """The same page by the person's next way; None where there is none left."""
    others = [
        (Route(one["channel"], one["address"]), Worded(one["subject"], one["text"], one["short"], one["fields"]))
        for one in page.data.get("others", ())
    ]
    if not others:
        return None
    (route, worded), *rest = others
    key = page_key(page.root, 0, page.person, route.channel, route.address)
    kept = {name: page.data[name] for name in ("step", "why", "team") if name in page.data}
    return {
        "page_key": key,
        "root": page.root,
        "incident": page.incident,
        "person": page.person,
        "site": page.site,
        "agency": page.agency,
        "kind": page.kind,
        "severity": page.severity,
        "language": page.language,
        "due_at": now,
        "created_at": now,
        "state": QUEUED,
        **_said(key, page.kind, route, worded, secret),
        "data": _data(worded, rest) | kept,
    }


def message_of(page: Delivery, secret: bytes, base_url: str, *, takes_replies: bool = False) -> Message:
    """What a sender gets: with the address to answer at, which no row holds, and how to answer without it."""
    link = f"{base_url}{PATH}{token_of(secret, page.page_key)}" if page.kind in ANSWERED else ""
    data = page.data
    short = str(data.get("short", "")).replace(LINK, link).strip()
    if takes_replies and link and page.channel != SPOKEN:
        short = _with_reply(short, page.language)
    text = page.text.replace(LINK, link)
    if takes_replies and link and page.channel == MAIL:
        text = f"{text}\n{say(page.language, 'line.reply_mail')}"
    return Message(
        page.page_key,
        page.kind,
        page.severity,
        page.incident,
        page.address,
        page.person,
        page.language,
        page.subject,
        text,
        short,
        link,
        {str(name): str(value) for name, value in data.get("fields", {}).items()},
    )


def _with_reply(short: str, language: str) -> str:
    """As many words as one text message has room for; none where it would become a longer, dearer one by them."""
    is_long = euc_kr_bytes(short) > SMS_BYTES
    for key in ("reply", "reply_brief"):
        told = f"{short} {say(language, f'line.{key}')}"
        if is_long or euc_kr_bytes(told) <= SMS_BYTES:
            return told
    return short


def _said(key: str, kind: str, route: Route, worded: Worded, secret: bytes) -> Mapping[str, Any]:
    return {
        "channel": route.channel,
        "address": route.address,
        "subject": worded.subject[:MOST_SUBJECT],
        "text": worded.text,
        "answer_hash": token_hash(token_of(secret, key)) if kind in ANSWERED else None,
    }


def _data(worded: Worded, others: Sequence[tuple[Route, Worded]]) -> dict[str, Any]:
    return {
        "short": worded.short,
        "fields": dict(worded.fields),
        "others": [
            {
                "channel": route.channel,
                "address": route.address,
                "subject": said.subject,
                "text": said.text,
                "short": said.short,
                "fields": dict(said.fields),
            }
            for route, said in others
        ],
    }
