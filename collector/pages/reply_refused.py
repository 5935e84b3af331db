"""A mail meant as an answer that acknowledged nothing: its writer learns so at once, for people go on being called.

Never of what a machine wrote, and at most once in ten minutes: two machines that answer each other would not stop.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from collector.pages import page as p
from collector.pages.outbox import row_of
from collector.pages.page import Route
from collector.pages.pipeline import Outgoing
from collector.pages.reply_queries import same_address
from collector.pages.reply_take import Incoming
from collector.pages.wording import Worded
from collector.pages.words import language_of, say
from collector.telemetry_replies import NOT_PROVEN, NOT_UNDERSTOOD, NOTHING_OPEN, WHICH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.pages.desk import Ways
    from collector.people.person import Person

TOLD = frozenset({NOT_UNDERSTOOD, NOT_PROVEN, NOTHING_OPEN, WHICH})
"""Of other refusals nobody of ours is known to be the writer."""
AGAIN_SECONDS = 600


def row_of_refusal(
    people: Iterable[Person], ways: Ways, channel: str, reply: Incoming, code: str, now: datetime
) -> dict[str, Any] | None:
    """The page that says so; None where nothing is to be said, or to nobody."""
    if code not in TOLD or reply.is_automatic:
        return None
    found = next(
        (
            (one, contact.address)
            for one in people
            for contact in one.contacts
            if contact.channel == channel and same_address(contact.address, reply.sender)
        ),
        None,
    )
    if found is None:
        return None
    person, address = found
    language = language_of(person.languages)
    return row_of(
        Outgoing(person.id, ((Route(channel, address), _worded(code, language, ways.base_url)),), now, language, ""),
        kind=p.REPLY_REFUSED,
        severity=p.INFO,
        uid="reply_refused",
        timer=int(now.timestamp()) // AGAIN_SECONDS,
        step=0,
        now=now,
        secret=ways.secret,
        agency=person.agency,
    )


def _worded(code: str, language: str, base_url: str) -> Worded:
    subject = say(language, f"subject.{p.REPLY_REFUSED}")
    lines = [
        say(language, f"refused.{code}"),
        "",
        say(language, "refused.goes_on"),
        say(language, "line.see", url=f"{base_url}/incidents"),
    ]
    return Worded(subject, "\n".join(lines), subject, {"kind": p.REPLY_REFUSED})
