"""Agreed work ahead at one place, or at all behind a hub: what, when, and what somebody there should know. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.fleet.calendar import working_spans
from collector.fleet.registry import Fleet
from collector.maintenance.occurrence import occurrences
from collector.maintenance.queries import SHUTDOWN, WindowRow
from collector.maintenance.reach import affected_sites, covered

AHEAD = timedelta(days=90)
MOST = 3


class Coming(NamedTuple):
    """One occurrence. ``meets``: the first of the site's business hours it meets, None where it does not, or there is no one
    site it is shown for."""

    window: WindowRow
    began_at: datetime
    ended_at: datetime
    is_on: bool
    meets: tuple[datetime, datetime] | None

    @property
    def is_untold(self) -> bool:
        return self.window.kind != SHUTDOWN and self.window.notified_at is None


def coming_at_site(rows: Iterable[WindowRow], fleet: Fleet, site: str, now: datetime) -> tuple[Coming, ...]:
    """The next occurrences of whatever touches a site."""
    entry = fleet.sites[site]
    zone = ZoneInfo(entry.timezone)
    found = _next((row for row in rows if site in affected_sites(row.subjects, fleet)), now)
    met = [working_spans(entry.calendar, zone, one.began_at, one.ended_at) for one in found]
    return tuple(one._replace(meets=spans[0] if spans else None) for one, spans in zip(found, met, strict=True))


def coming_at_hub(
    rows: Iterable[WindowRow], fleet: Fleet, hub: str, sites: set[str], now: datetime
) -> tuple[Coming, ...]:
    """The next occurrences of whatever touches a hub, or a site behind it."""
    return _next(
        (
            row
            for row in rows
            if ("hub", hub) in covered(row.subjects, fleet) or sites & set(affected_sites(row.subjects, fleet))
        ),
        now,
    )


def _next(rows: Iterable[WindowRow], now: datetime) -> tuple[Coming, ...]:
    found = []
    for row in rows:
        for number, (began, ended) in enumerate(occurrences(row.schedule, now, now + AHEAD)):
            if number == MOST:
                break
            found.append(Coming(row, began, ended, began <= now, None))
    found.sort(key=lambda one: (one.began_at, one.window.id))
    return tuple(found[:MOST])
