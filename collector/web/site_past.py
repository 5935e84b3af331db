"""Ninety days of a site, a mark a day, from its changes of state. Values only; days are those of the site's own clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import zip_longest
from typing import NamedTuple

from collector.verdicts.reasons import NEVER_REPORTED, NO_HOSTS
from collector.verdicts.standing import DOWN, MAINTENANCE, NO_DATA, Change

DAYS = 90
NOTHING_YET = frozenset({NO_HOSTS, NEVER_REPORTED})
"""Reasons of a site of which nothing was ever known: its first seconds are no bad day."""


class Day(NamedTuple):
    """``state`` is the worst of the day, None where nothing was known of it; seconds are those of the day in which it was
    down, and in which it was watched."""

    day: date
    state: int | None
    down_seconds: float
    watched_seconds: float


class Past(NamedTuple):
    days: tuple[Day, ...]
    """Oldest first."""

    @property
    def down_seconds(self) -> float:
        return sum(day.down_seconds for day in self.days)

    @property
    def watched_seconds(self) -> float:
        return sum(day.watched_seconds for day in self.days)

    @property
    def ratio(self) -> float | None:
        """Share of the watched time in which it was not down. Silence is neither; None where nobody watched."""
        return None if self.watched_seconds <= 0 else 1 - self.down_seconds / self.watched_seconds

    @property
    def bad(self) -> tuple[Day, ...]:
        """Days on which it was not well, the newest first."""
        return tuple(day for day in reversed(self.days) if day.state not in (None, 0))


def first_ms(now_ms: int, zone: tzinfo) -> int:
    """When the first of the days began."""
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    return int(datetime.combine(today - timedelta(days=DAYS - 1), time(), zone).timestamp() * 1000)


def past_of(changes: Sequence[Change], now_state: int, since_ms: int | None, now_ms: int, zone: tzinfo) -> Past:
    """``changes``: those since ``first_ms``, oldest first. Before the first of them it stood as that one says it did; with
    no change at all it stands as now since ``since_ms``."""
    spans: list[tuple[int, int, int]] = []
    began = first_ms(now_ms, zone)
    if changes and changes[0].before is not None:
        spans.append((began, changes[0].at_ms, changes[0].before))
    for change, after in zip_longest(changes, changes[1:]):
        if change.reason not in NOTHING_YET:
            spans.append((change.at_ms, after.at_ms if after else now_ms, change.after))
    if not changes and since_ms is not None:
        spans.append((max(began, since_ms), now_ms, now_state))
    first = datetime.fromtimestamp(began / 1000, zone).date()
    return Past(tuple(_day(first + timedelta(days=number), spans, zone) for number in range(DAYS)))


def _day(day: date, spans: Sequence[tuple[int, int, int]], zone: tzinfo) -> Day:
    began, ended = (datetime.combine(each, time(), zone).timestamp() * 1000 for each in (day, day + timedelta(days=1)))
    worst: int | None = None
    down = watched = 0.0
    for start, end, state in spans:
        seconds = (min(end, ended) - max(start, began)) / 1000
        if seconds <= 0:
            continue
        worst = state if worst is None else max(worst, state)
        down += seconds if state == DOWN else 0.0
        watched += seconds if state not in (NO_DATA, MAINTENANCE) else 0.0
    return Day(day, worst, down, watched)
