"""An answer that came in by a channel, whoever brought it: from somebody of ours, plainly meant, and to a page of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from collector.errors import Refused
from collector.pages.answer import Answered
from collector.pages.reply_queries import incident_of_key, incident_of_token, known_addresses, open_incidents
from collector.pages.reply_text import keys_in, read_reply
from collector.telemetry_replies import NOT_PROVEN, NOT_UNDERSTOOD, NOTHING_OPEN, UNKNOWN_SENDER, WHICH

if TYPE_CHECKING:
    from collector.pages.office import PostOffice
    from collector.store.engine import Store

EMAIL = "email"
WAYS = {EMAIL: "mail", "sms": "sms", "phone": "voice"}
"""How incidents note who answered by which channel; others are programs."""


class Incoming(NamedTuple):
    """``reference``: keys of pages, or Message-IDs; ``tokens``: of links to answer at that a mail quotes."""

    sender: str
    text: str = ""
    key: str = ""
    reference: str = ""
    auto_submitted: str = ""
    tokens: Sequence[str] = ()

    @property
    def is_automatic(self) -> bool:
        """Whether a machine wrote it."""
        return self.auto_submitted.lower() not in ("", "no")


def take(store: Store, office: PostOffice, channel: str, reply: Incoming, now: datetime) -> Answered:
    """Raises Refused with what the gateway may tell the person."""
    with store.reading() as connection:
        addresses = known_addresses(connection, channel, reply.sender)
        if not addresses:
            raise Refused(403, UNKNOWN_SENDER, "This address is nobody's.")
        keys = keys_in(reply.reference)
        is_named, number = incident_of_key(connection, channel, addresses, keys) if keys else (False, None)
        if not is_named and reply.tokens:
            is_named, number = incident_of_token(connection, channel, addresses, reply.tokens)
        waiting = open_incidents(connection, channel, addresses, now)
    said = read_reply(reply.key or reply.text, is_mail=channel == EMAIL)
    if said is None or reply.is_automatic or (reply.key and said.number is not None):
        raise Refused(
            422,
            NOT_UNDERSTOOD,
            "Not understood: 1 or 확인 acknowledges, with the incident's number where several wait.",
        )
    if channel == EMAIL and not is_named:
        raise Refused(
            403, NOT_PROVEN, "A mail has to be the answer to a page: it names none of those sent to this address."
        )
    if not is_named:
        if said.number is None and len(waiting) > 1:
            numbers = [one for one in waiting if one is not None]
            raise Refused(409, WHICH, "Several incidents wait; answer with a number.", fields={"incidents": numbers})
        number = said.number if said.number is not None else next(iter(waiting), None)
    elif said.number is not None and said.number != number:
        raise Refused(409, WHICH, "The answer names another incident than the page it is to.")
    found = office.answer_reply(channel, tuple(addresses), WAYS.get(channel, "api"), number=number)
    if found is None:
        raise Refused(404, NOTHING_OPEN, "Nothing that was sent to this address waits for an answer.")
    return found
