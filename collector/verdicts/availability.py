"""Seconds a site was watched, and of those it was down: what availability is later computed from.

A second counts as eligible when the site was to be available and there was evidence about it; without a report nobody
can say whether it was up, so silence is neither up nor down. Downtime is only what was confirmed as down.
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.verdicts.standing import DOWN, MAINTENANCE, NO_DATA, Standing

MAX_TICK_MS = 15_000
"""A tick that comes later than this (a stopped process, a jump of the clock) counts for no more: nobody was watching."""


def accumulate(before: Standing, now_ms: int) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Eligible and down seconds by site, grown by the time since ``before``, in the states it had then."""
    elapsed_ms = min(max(0, now_ms - before.at_ms), MAX_TICK_MS) if before.at_ms else 0
    eligible = {site: before.eligible_seconds.get(site, 0.0) for site in before.sites}
    downtime = {site: before.downtime_seconds.get(site, 0.0) for site in before.sites}
    for site, standing in before.sites.items():
        if standing.state not in (NO_DATA, MAINTENANCE):
            eligible[site] += elapsed_ms / 1000
        if standing.state == DOWN:
            downtime[site] += elapsed_ms / 1000
    return eligible, downtime
