"""Whether a look could find anything new. Most seconds nothing happened, and a look at hundreds of alerts costs milliseconds
of each; what it would read is told by one small query, and what time alone brings about by what the last look left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, exists, func, select

from collector.escalation.policy import Plan
from collector.escalation.tables import timers
from collector.escalation.timer import JUDGED
from collector.incidents.course import Home, Memory
from collector.incidents.digest import WAIT_MS
from collector.incidents.incident import Incident
from collector.incidents.signal import Signal
from collector.incidents.storm import MINUTE_MS
from collector.incidents.tables import incident_books, incident_events
from collector.rules.tables import past_alerts
from collector.store.schema import UtcDateTime

LONGEST = timedelta(seconds=10)
"""A look is taken so often whatever is believed: another process may commit an event after one with a larger number."""


class Pulse(NamedTuple):
    """What rows say changed since: whoever changes an incident writes an event."""

    version: int | None
    event: int | None
    has_past: bool
    is_due: bool
    """Whether a timer that incidents act on is due."""


class Basis(NamedTuple):
    """What a look stands on, time aside."""

    pulse: Pulse
    signals: tuple[Signal, ...]
    is_unjudged: bool
    fleet_version: int
    plan: Plan
    worked: frozenset[str] = frozenset()


_PULSE = select(
    select(incident_books.c.version).where(incident_books.c.id == 1).scalar_subquery(),
    select(func.max(incident_events.c.id)).scalar_subquery(),
    exists().where(past_alerts.c.told_at_ms.is_(None)),
    exists().where(
        timers.c.done_at.is_(None),
        timers.c.due_at <= bindparam("now", type_=UtcDateTime()),
        timers.c.kind.in_(JUDGED),
    ),
)


def read_pulse(connection: Connection, now: datetime) -> Pulse:
    version, event, has_past, is_due = connection.execute(_PULSE, {"now": now}).one()
    return Pulse(version, event, bool(has_past), bool(is_due))


class Stillness:
    """Of one job: what the last look stood on, where it left nothing to be written."""

    def __init__(self) -> None:
        self._basis: Basis | None = None
        self._from: datetime | None = None
        self._until: datetime | None = None

    def holds(self, basis: Basis, now: datetime) -> bool:
        """Whether a look would see what the last one saw, and find as little."""
        if self._from is None or self._until is None or not self._from <= now < self._until:
            return False
        return basis == self._basis and not basis.pulse.is_due

    def found_nothing(self, basis: Basis, now: datetime, next_ms: float) -> None:
        """A look wrote nothing; ``next_ms``: see ``next_by_itself``."""
        self._basis, self._from, self._until = basis, now, now + LONGEST
        now_ms = now.timestamp() * 1000
        if next_ms < now_ms + LONGEST.total_seconds() * 1000:
            self._until = now + timedelta(milliseconds=next_ms - now_ms)

    def over(self) -> None:
        self._basis = None


def next_by_itself(memory: Memory, known: Iterable[Incident], homes: Mapping[str, Home], plan: Plan) -> float:
    """When time alone brings something about, in ms; what settles, or comes back, is looked at each time."""
    held = {home.uid for home in homes.values()}
    if any(each.recovered_at is not None if each.is_open else each.uid in held for each in known):
        return 0.0
    moments = [float("inf"), *(last_ms + WAIT_MS for last_ms in memory.digests.values())]
    moments += [int(since_ms) + plan.alert_hold_seconds * 1000 for _, since_ms in memory.raising.values()]
    if memory.came_ms:
        moments.append(min(memory.came_ms) + MINUTE_MS)
    if memory.storm_ms:
        moments.append(memory.storm_ms + plan.storm_calm_seconds * 1000)
    return min(moments)
