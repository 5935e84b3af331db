"""Which numbers of an agent are missing, and since when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agent.link.ranges import Range, Ranges

INTERVALS = 2
LEAST_MS = 120_000
"""Positions are written down once a minute: a younger gap may be closed already."""
MOST = 1_000
"""Gaps of one epoch that are kept by name, the newest; an agent that makes more is told to begin a new epoch."""


class Gap(NamedTuple):
    first: int
    last: int
    since_ms: int


def missing(held: Ranges, lost: Ranges) -> list[Range]:
    """Ranges of numbers below the newest that are neither held nor lost."""
    newest = max(held.last, lost.last)
    known = Ranges(sorted([*held, *lost]))
    return known.gaps(1, newest)[-MOST:] if newest else []


def aged(now: Sequence[Range], before: Iterable[Gap], now_ms: int) -> list[Gap]:
    """Today's gaps with the age of what is left of yesterday's."""
    old = sorted(before)
    found = []
    at = 0
    for first, last in now:
        while at < len(old) and old[at].last < first:
            at += 1
        since = [gap.since_ms for gap in old[at:] if gap.first <= last]
        found.append(Gap(first, last, min(since, default=now_ms)))
    return found


def is_missing(gap: Gap, interval_ms: int, now_ms: int, spooled_ms: int | None = None) -> bool:
    """Whether it is time to say so: older than two intervals, and the agent keeps nothing from before it was seen that it
    still has to send. ``spooled_ms``: when the oldest record it keeps was taken."""
    if spooled_ms is not None and spooled_ms <= gap.since_ms:
        return False
    return now_ms - gap.since_ms > max(INTERVALS * interval_ms, LEAST_MS)
