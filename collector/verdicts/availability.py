"""Seconds a site or system was watched, and of those it was down: what availability is later computed from.

A second counts as eligible when the thing was to be available and there was evidence about it; without a report nobody
can say whether it was up, so silence is neither up nor down. Downtime is only what was confirmed as down.
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.verdicts.standing import DOWN, MAINTENANCE, NO_DATA, PlaceStanding, SiteStanding

MAX_TICK_MS = 15_000
"""A tick that comes later than this (a stopped process, a jump of the clock) counts for no more: nobody was watching."""
Seconds = Mapping[str, float]


def accumulate(
    standings: Mapping[str, SiteStanding] | Mapping[str, PlaceStanding],
    eligible_seconds: Seconds,
    downtime_seconds: Seconds,
    before_ms: int,
    now_ms: int,
) -> tuple[Seconds, Seconds]:
    """Eligible and down seconds by id, grown by the time since ``before_ms``, in the states of then."""
    elapsed = min(max(0, now_ms - before_ms), MAX_TICK_MS) / 1000 if before_ms else 0.0
    eligible, downtime = {}, {}
    for subject, standing in standings.items():
        state = standing.state
        counted = elapsed if state not in (NO_DATA, MAINTENANCE) else 0.0
        eligible[subject] = eligible_seconds.get(subject, 0.0) + counted
        downtime[subject] = downtime_seconds.get(subject, 0.0) + (elapsed if state == DOWN else 0.0)
    return eligible, downtime
