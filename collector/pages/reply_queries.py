"""Which page an answer is to: found by the channel's address, and by the page's key where the answer names it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from collector.pages.answer_token import token_hash
from collector.pages.page import ANSWERED, SENT
from collector.pages.senders.sms_text import digits
from collector.pages.tables import page_deliveries
from collector.people.tables import people_contacts

SINCE = timedelta(days=3)
"""Pages older than this are not answered by a message any more: the incident has a page."""
AT_MOST = 200


def same_address(first: str, second: str) -> bool:
    """Numbers by their digits, however they are written; the rest by its letters, whatever their case."""
    ours, theirs = digits(first), digits(second)
    if ours[1] and theirs[1]:
        return ours == theirs
    return first.strip().casefold() == second.strip().casefold()


def known_addresses(connection: Connection, channel: str, address: str) -> list[str]:
    """This address as people wrote it; none = nobody of ours has it."""
    of = people_contacts.c
    found = connection.execute(select(of.address).where(of.channel == channel).distinct()).scalars()
    return [one for one in found if same_address(one, address)]


def open_incidents(connection: Connection, channel: str, addresses: list[str], now: datetime) -> list[int | None]:
    """Whose pages to these addresses wait for an answer, newest first; None stands for tests."""
    of = page_deliveries.c
    wanted = (
        of.channel == channel,
        of.address.in_(addresses),
        of.kind.in_(sorted(ANSWERED)),
        of.state == SENT,
        of.answered_at.is_(None),
        of.sent_at > now - SINCE,
    )
    rows = connection.execute(select(of.incident).where(*wanted).order_by(of.id.desc()).limit(AT_MOST)).scalars()
    return list(dict.fromkeys(rows))


def incident_of_token(
    connection: Connection, channel: str, addresses: list[str], tokens: Sequence[str]
) -> tuple[bool, int | None]:
    """The same by what stands in the page's link, which nobody has who did not get the page."""
    of = page_deliveries.c
    hashes = [token_hash(token) for token in tokens]
    wanted = (of.answer_hash.in_(hashes), of.channel == channel, of.address.in_(addresses))
    row = connection.execute(select(of.incident).where(*wanted).order_by(of.id.desc()).limit(1)).first()
    return row is not None, row.incident if row is not None else None


def incident_of_key(
    connection: Connection, channel: str, addresses: list[str], keys: list[str]
) -> tuple[bool, int | None]:
    """(whether one of the keys is of a page to these addresses, its incident)"""
    of = page_deliveries.c
    wanted = (of.page_key.in_([key[:64] for key in keys]), of.channel == channel, of.address.in_(addresses))
    row = connection.execute(select(of.incident).where(*wanted).limit(1)).first()
    return row is not None, row.incident if row is not None else None
