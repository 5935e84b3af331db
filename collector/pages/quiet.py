"""Quiet hours: whoever sleeps is woken for the highest severity alone.

Anything less goes to somebody who is awake and on duty as well; where there is nobody, it waits for the end of the quiet hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from collector.pages.page import CRITICAL
from collector.people.person import Person, parse_span

NOW, WAIT, NEXT = "now", "wait", "next"


def quiet(person: Person, severity: str, others: Iterable[Person], now: datetime) -> tuple[str, datetime]:
    """``now``; ``next``: one of ``others`` gets it instead; ``wait``: until the instant given."""
    if severity == CRITICAL or not person.is_quiet(now):
        return NOW, now
    if any(not other.is_quiet(now) for other in others if other.id != person.id):
        return NEXT, now
    return WAIT, quiet_ends(person, now)


def quiet_ends(person: Person, now: datetime) -> datetime:
    """When the quiet hours that ``now`` is in are over (UTC); ``now`` itself outside them."""
    span = parse_span(person.quiet_hours)
    if span is None or not person.is_quiet(now):
        return now
    zone = ZoneInfo(person.timezone)
    here = now.astimezone(zone)
    day = here.date() if here.time() < span[1] else here.date() + timedelta(days=1)
    return max(now, datetime.combine(day, span[1], zone).astimezone(UTC))
