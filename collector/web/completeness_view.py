"""The site page's strip of completeness: the last hours as marks, and as the table that says the same. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collector.completeness.hours import COMPLETE, HOUR_MS, LATE, LOST, NOTHING, OPEN, PARTIAL, SiteHour
from collector.completeness.missing import MissingRange

SHOWN_HOURS = 48
MARKS = {COMPLETE: 0, LATE: 1, NOTHING: 2, PARTIAL: 3, LOST: 4, OPEN: None}
"""Whose shape stands for an hour: the states' own, each beside its own word."""
SHOWN_GAPS = 50


@dataclass(frozen=True, slots=True)
class HourMark:
    """An hour on the strip; ``mark`` None = not judged yet."""

    hour: SiteHour
    mark: int | None

    @property
    def state(self) -> str:
        return self.hour.state


@dataclass(frozen=True, slots=True)
class Strip:
    """``marks`` oldest first, every hour of the window; ``counts``: hours by state, without the open ones."""

    marks: tuple[HourMark, ...]
    counts: tuple[tuple[str, int], ...]
    missing: tuple[MissingRange, ...]
    missing_more: int
    """Gaps beyond those that are shown."""

    @property
    def ratio(self) -> float | None:
        """Of all judged hours together."""
        judged = [mark.hour for mark in self.marks if mark.state != OPEN]
        expected = sum(hour.expected for hour in judged)
        return sum(hour.covered for hour in judged) / expected if expected else None


def strip(known: Iterable[SiteHour], missing: Sequence[MissingRange], now_ms: int) -> Strip:
    """The last ``SHOWN_HOURS`` hours up to the one that runs; hours of which nothing is known are open."""
    by_hour = {hour.hour_ms: hour for hour in known}
    newest = now_ms // HOUR_MS * HOUR_MS
    hours = range(newest - (SHOWN_HOURS - 1) * HOUR_MS, newest + 1, HOUR_MS)
    found = [by_hour.get(hour) or SiteHour(hour, is_open=True) for hour in hours]
    marks = tuple(HourMark(hour, MARKS[hour.state]) for hour in found)
    counts = tuple(
        (state, count) for state in MARKS if state != OPEN and (count := sum(mark.state == state for mark in marks))
    )
    return Strip(marks, counts, tuple(missing[:SHOWN_GAPS]), max(0, len(missing) - SHOWN_GAPS))
