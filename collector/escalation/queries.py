"""SQL of timers and summons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from collector.escalation.tables import summons, timers
from collector.escalation.timer import PAGED, Timer
from collector.store.schema import UtcDateTime

COMING, CANNOT = "coming", "cannot"
REPLIES = (COMING, CANNOT)


def add_timer(connection: Connection, incident: int | None, kind: str, due_at: datetime, step: int = 0) -> int:
    made = connection.execute(insert(timers).values(incident=incident, kind=kind, step=step, due_at=due_at))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


_DUE = (
    select(timers.c.id, timers.c.incident, timers.c.kind, timers.c.step, timers.c.due_at)
    .where(
        timers.c.done_at.is_(None),
        timers.c.due_at <= bindparam("now", type_=UtcDateTime()),
        timers.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    .order_by(timers.c.due_at, timers.c.id)
    .limit(bindparam("most"))
)
"""Put together once, for it is asked every second."""


def due(connection: Connection, now: datetime, limit: int, kinds: Sequence[str] = PAGED) -> list[Timer]:
    """What is due, the longest due first. Reading it claims nothing."""
    rows = connection.execute(_DUE, {"now": now, "kinds": list(kinds), "most": limit})
    return [Timer(*row) for row in rows]


def claim(connection: Connection, timer_id: int, now: datetime) -> bool:
    """Whether this caller won it. Do its work in the same transaction: what is undone, is to be done again."""
    of = timers.c
    done = connection.execute(update(timers).where(of.id == timer_id, of.done_at.is_(None)).values(done_at=now))
    return bool(done.rowcount)


def put_off(connection: Connection, timer_id: int, due_at: datetime) -> None:
    """Ask it again then: what it is for cannot be done yet. It is nobody's any more."""
    connection.execute(update(timers).where(timers.c.id == timer_id).values(due_at=due_at, done_at=None))


def cancel(connection: Connection, incident: int, kinds: Iterable[str], now: datetime | None = None) -> int:
    """End an incident's timers of these kinds that were not due yet, or not claimed; how many there were.

    They count as done when they would have been due, or at ``now``.
    """
    of = timers.c
    waiting = (of.incident == incident, of.kind.in_(list(kinds)), of.done_at.is_(None))
    done = connection.execute(update(timers).where(*waiting).values(done_at=of.due_at if now is None else now))
    return int(done.rowcount)


def postpone(connection: Connection, incident: int, kind: str, due_at: datetime) -> bool:
    """Move what is not done yet; whether there was any."""
    of = timers.c
    waiting = (of.incident == incident, of.kind == kind, of.done_at.is_(None))
    return bool(connection.execute(update(timers).where(*waiting).values(due_at=due_at)).rowcount)


def move(connection: Connection, of_incident: int, to_incident: int, kinds: Iterable[str]) -> int:
    """Hand an incident's waiting timers to another."""
    of = timers.c
    waiting = (of.incident == of_incident, of.kind.in_(list(kinds)), of.done_at.is_(None))
    return int(connection.execute(update(timers).where(*waiting).values(incident=to_incident)).rowcount)


def pending(connection: Connection, incident: int) -> list[Timer]:
    """What an incident still waits for, the next first."""
    of = timers.c
    rows = connection.execute(
        select(of.id, of.incident, of.kind, of.step, of.due_at)
        .where(of.incident == incident, of.done_at.is_(None))
        .order_by(of.due_at, of.id)
    )
    return [Timer(*row) for row in rows]


class Summoned(NamedTuple):
    """Somebody called in; ``reply`` is empty while there is none."""

    id: int
    incident: int
    team: str
    person: str
    channels: tuple[str, ...]
    called_at: datetime
    reply: str
    replied_at: datetime | None
    way: str


def summon(
    connection: Connection, incident: int, team: str, people: Iterable[tuple[str, Sequence[str]]], now: datetime
) -> int:
    """Note who is called in, and by which channels; those called before are not called anew. How many are new."""
    known = {row.person for row in summoned(connection, incident) if row.team == team}
    rows = [
        {
            "incident": incident,
            "team": team,
            "person": person,
            "channels": list(channels),
            "called_at": now,
            "reply": "",
            "way": "",
        }
        for person, channels in people
        if person not in known
    ]
    if rows:
        connection.execute(insert(summons), rows)
    return len(rows)


def summoned(connection: Connection, incident: int) -> list[Summoned]:
    rows = connection.execute(select(summons).where(summons.c.incident == incident).order_by(summons.c.id))
    return [Summoned(*row) for row in rows]


def reply(connection: Connection, incident: int, person: str, answer: str, now: datetime, way: str) -> bool:
    """Whether this person was called in and had not answered; the last word counts for nothing more."""
    assert answer in REPLIES, answer
    of = summons.c
    waiting = (of.incident == incident, of.person == person, of.reply == "")
    done = connection.execute(update(summons).where(*waiting).values(reply=answer, replied_at=now, way=way))
    return bool(done.rowcount)
