"""SQL of silences."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from collector.alerts.silence import Silence
from collector.alerts.tables import silences
from collector.store.scope import Scope

KEPT = timedelta(days=30)
"""For so long one that is over can still be looked up."""
Stamp = tuple[int, datetime | None]


def all_silences(connection: Connection) -> list[Silence]:
    return [_silence(row) for row in connection.execute(select(silences).order_by(silences.c.starts_at, silences.c.id))]


_STAMP = select(func.count(), func.max(silences.c.updated_at))


def stamp(connection: Connection) -> Stamp:
    """Other than before where any silence changed."""
    row = connection.execute(_STAMP).one()
    return row[0], row[1]


def find_silence(connection: Connection, name: str) -> Silence | None:
    row = connection.execute(select(silences).where(silences.c.id == name)).first()
    return None if row is None else _silence(row)


def write_silence(connection: Connection, silence: Silence) -> None:
    """Keep it as it is now, new or changed."""
    values = {
        "matchers": silence.words,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "created_by": silence.created_by,
        "login": silence.login,
        "comment": silence.comment,
        "updated_at": silence.updated_at,
        "agencies": _limit(silence.scope.agencies),
        "sites": _limit(silence.scope.sites),
    }
    if not connection.execute(update(silences).where(silences.c.id == silence.id).values(**values)).rowcount:
        connection.execute(insert(silences), {"id": silence.id, **values})


def end_silence(connection: Connection, silence: Silence, now: datetime) -> None:
    """It ends now; one that has not begun never does."""
    row = update(silences).where(silences.c.id == silence.id, silences.c.ends_at > now)
    connection.execute(row.values(starts_at=min(silence.starts_at, now), ends_at=now, updated_at=now))


def forget_silences(connection: Connection, now: datetime) -> int:
    return connection.execute(delete(silences).where(silences.c.ends_at < now - KEPT)).rowcount


def _silence(row: Any) -> Silence:
    scope = Scope(_names(row.agencies), _names(row.sites))
    words = tuple((label, operator, value) for label, operator, value in row.matchers)
    return Silence(
        row.id, words, row.starts_at, row.ends_at, row.created_by, row.login, row.comment, row.updated_at, scope
    )


def _limit(names: frozenset[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _names(row: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if row is None else frozenset(row)
