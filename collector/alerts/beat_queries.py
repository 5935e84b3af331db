"""SQL of heartbeats."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from agent.link.clock import Chance
from collector.alerts.beat import Beat, silent
from collector.alerts.tables import beats
from collector.rules.alert import KEEP_RESOLVED_MS
from collector.store.schema import UtcDateTime
from collector.store.scope import Scope

KEY_BYTES = 16
LATELY = timedelta(milliseconds=KEEP_RESOLVED_MS)
_NAMES = [one.name for one in fields(Beat)]
_BEAT = [beats.c[name] for name in _NAMES]
# Asked every second, so they are put together once.
_AT = bindparam("at", type_=UtcDateTime())
_LATE = select(*_BEAT).where(beats.c.alert_after <= _AT)
_DOWN = select(*_BEAT).where(
    beats.c.down_at.is_not(None), or_(beats.c.recovered_at.is_(None), beats.c.recovered_at > _AT)
)


def add_beat(connection: Connection, beat: Beat, chance: Chance) -> str:
    """Its key, which is kept nowhere."""
    key = chance.bytes(KEY_BYTES).hex()
    connection.execute(insert(beats), {**asdict(beat), "hash": _hash(key)})
    return key


def new_key(connection: Connection, name: str, chance: Chance) -> str:
    """Another key; the old address is worthless from now on."""
    key = chance.bytes(KEY_BYTES).hex()
    connection.execute(update(beats).where(beats.c.id == name).values(hash=_hash(key)))
    return key


def find_beat(connection: Connection, name: str, scope: Scope) -> Beat | None:
    asked = select(*_BEAT).where(beats.c.id == name, scope.where(beats.c.agency, beats.c.site))
    row = connection.execute(asked).first()
    return None if row is None else _beat(row)


def beat_of_key(connection: Connection, key: str) -> Beat | None:
    """For its own call; the row is locked until the transaction ends, where the database can."""
    row = connection.execute(select(*_BEAT).where(beats.c.hash == _hash(key)).with_for_update()).first()
    return None if row is None else _beat(row)


def list_beats(connection: Connection, scope: Scope, after: str = "", limit: int = 1_000_000) -> list[Beat]:
    asked = select(*_BEAT).where(beats.c.id > after, scope.where(beats.c.agency, beats.c.site))
    return [_beat(row) for row in connection.execute(asked.order_by(beats.c.id).limit(limit))]


def write_beat(connection: Connection, beat: Beat) -> None:
    connection.execute(update(beats).where(beats.c.id == beat.id).values(**asdict(beat)))


def remove_beat(connection: Connection, name: str) -> None:
    connection.execute(delete(beats).where(beats.c.id == name))


def late(connection: Connection, now: datetime) -> list[Beat]:
    """Those whose grace is over."""
    return [_beat(row) for row in connection.execute(_LATE, {"at": now})]


def mark_down(connection: Connection, beat: Beat, now: datetime) -> bool:
    """False where it was heard, or marked by another collector, meanwhile."""
    row = update(beats).where(beats.c.id == beat.id, beats.c.alert_after == beat.alert_after)
    return connection.execute(row.values(**asdict(silent(beat, now)))).rowcount == 1


def watched(connection: Connection) -> list[Beat]:
    """Those that are waited for."""
    return [_beat(row) for row in connection.execute(select(*_BEAT).where(beats.c.alert_after.is_not(None)))]


def down_lately(connection: Connection, now: datetime) -> list[Beat]:
    """Those that are down, or were within the last quarter of an hour."""
    return [_beat(row) for row in connection.execute(_DOWN, {"at": now - LATELY})]


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _beat(row: Any) -> Beat:
    return Beat(**row._mapping)
