"""Whether an address reaches the person: a code goes there by the way every page takes, and comes back by hand.

Six digits, good for an hour, five tries, once. Nobody is paged at an address before.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from agent.link.clock import Chance
from collector.people.tables import contact_codes, people_contacts

LASTS = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=1)
TRIES = 5


def new_code(chance: Chance) -> str:
    return f"{int.from_bytes(chance.bytes(8), 'big') % 1_000_000:06d}"


def wait_seconds(connection: Connection, person: str, channel: str, address: str, now: datetime) -> int:
    """How long until another code may go to this address; 0 = now."""
    of = contact_codes.c
    sent = connection.execute(select(of.sent_at).where(*_key(person, channel, address))).scalar()
    return max(0, int((sent + AGAIN_AFTER - now).total_seconds())) if sent is not None and sent <= now else 0


def keep_code(
    connection: Connection, person: str, channel: str, address: str, code: str, now: datetime, by: str
) -> datetime:
    """Wait for this code, and for no earlier one; until when it is good."""
    connection.execute(delete(contact_codes).where(*_key(person, channel, address)))
    connection.execute(
        insert(contact_codes).values(
            person=person, channel=channel, address=address, code_hash=_hash(person, address, code), sent_at=now,
            expires_at=now + LASTS, tries=0, created_by=by,
        )
    )  # fmt: skip
    return now + LASTS


def take_code(connection: Connection, person: str, channel: str, address: str, code: str, now: datetime) -> bool:
    """Whether it is the one; the address is verified then, and the code is used up."""
    of = contact_codes.c
    key = _key(person, channel, address)
    tried = update(contact_codes).where(*key, of.expires_at > now, of.tries < TRIES).values(tries=of.tries + 1)
    row = connection.execute(tried.returning(of.code_hash)).first()
    if row is None or not hmac.compare_digest(row.code_hash, _hash(person, address, code.strip())):
        return False
    connection.execute(delete(contact_codes).where(*key))
    at = people_contacts.c
    mine = (at.person == person, at.channel == channel, at.address == address)
    return bool(connection.execute(update(people_contacts).where(*mine).values(verified_at=now)).rowcount)


def _key(person: str, channel: str, address: str) -> tuple[ColumnElement[bool], ...]:
    of = contact_codes.c
    return of.person == person, of.channel == channel, of.address == address


def _hash(person: str, address: str, code: str) -> bytes:
    return hashlib.sha256(f"{person}\0{address}\0{code}".encode()).digest()
