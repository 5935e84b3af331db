"""One's own account: the sessions it has open, ending them, and another password in the place of the old one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from collector.access.audit import record
from collector.access.queries import secret_hash
from collector.access.tables import persons, sessions

ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class OwnSession:
    """``id`` opens nothing: it is part of a hash. ``seen_at`` is true to some minutes, ``address`` empty where not known."""

    id: str
    began_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    is_this: bool


def own_sessions(connection: Connection, username: str, secret: str, now: datetime) -> list[OwnSession]:
    """Those that are not over, the last used first; ``secret`` is that of the one who asks."""
    of = sessions.c
    rows = connection.execute(select(sessions).where(of.username == username, of.expires_at > now))
    asks = secret_hash(secret)
    found = [
        OwnSession(
            row.hash[:ID_BYTES].hex(), row.created_at, row.seen_at or row.created_at, row.expires_at, row.address,
            row.hash == asks,
        )
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each.is_this, each.seen_at, each.id), reverse=True)


def end_sessions(connection: Connection, now: datetime, username: str, secret: str, session: str = "") -> int:
    """End one of somebody's sessions by its id, or without one all but that of ``secret``; how many there were.

    Whoever held one is nobody from their next request on."""
    of = sessions.c
    mine = connection.execute(select(of.hash).where(of.username == username)).scalars()
    asks = secret_hash(secret)
    ending = [each for each in mine if (each[:ID_BYTES].hex() == session if session else each != asks)]
    ended = connection.execute(delete(sessions).where(of.hash.in_(ending))).rowcount if ending else 0
    if ended:
        record(connection, now, username, "session.end", username, {"sessions": ended})
    return ended


def replace_password(connection: Connection, now: datetime, username: str, known: str, hashed: str) -> bool:
    """Put ``hashed`` where ``known`` still is, and end every session of the account; False where somebody was quicker."""
    of = persons.c
    mine = update(persons).where(of.username == username, of.password_hash == known)
    if not connection.execute(mine.values(password_hash=hashed)).rowcount:
        return False
    ended = connection.execute(delete(sessions).where(sessions.c.username == username)).rowcount
    record(connection, now, username, "user.password", username, {"sessions": ended})
    return True
