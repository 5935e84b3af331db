"""Agreed work ahead at one place, or at all behind a hub: what, when, and what somebody there should know. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.fleet.calendar import working_spans
from collector.fleet.registry import Fleet, Site
from collector.maintenance.occurrence import Span, occurrences
from collector.maintenance.queries import SHUTDOWN, WindowRow
from collector.maintenance.reach import affected_sites, covered

AHEAD = timedelta(days=90)
MOST = 3


class Place(NamedTuple):
    """A site it touches, and the first of the business hours there that it meets."""

    site: Site
    meets: Span | None


class Coming(NamedTuple):
    """One occurrence, and of the places asked for those it touches, those whose hours it meets first."""

    window: WindowRow
    began_at: datetime
    ended_at: datetime
    is_on: bool
    places: tuple[Place, ...]

    @property
    def is_untold(self) -> bool:
        return self.window.kind != SHUTDOWN and self.window.notified_at is None


def coming_at_site(rows: Iterable[WindowRow], fleet: Fleet, site: str, now: datetime) -> tuple[Coming, ...]:
    """The next occurrences of whatever touches a site."""
    return _next((row for row in rows if site in affected_sites(row.subjects, fleet)), fleet, {site}, now)


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
        fleet,
        sites,
        now,
    )


def _next(rows: Iterable[WindowRow], fleet: Fleet, sites: set[str], now: datetime) -> tuple[Coming, ...]:
    found: list[Coming] = []
    for row in rows:
        for number, (began, ended) in enumerate(occurrences(row.schedule, now, now + AHEAD)):
            if number == MOST:
                break
            found.append(Coming(row, began, ended, began <= now, ()))
    found.sort(key=lambda one: (one.began_at, one.window.id))
    return tuple(one._replace(places=_places(one, fleet, sites)) for one in found[:MOST])


def _places(one: Coming, fleet: Fleet, sites: set[str]) -> tuple[Place, ...]:
    touched = [fleet.sites[name] for name in affected_sites(one.window.subjects, fleet) if name in sites]
    met = [working_spans(site.calendar, ZoneInfo(site.timezone), one.began_at, one.ended_at) for site in touched]
    places = [Place(site, spans[0] if spans else None) for site, spans in zip(touched, met, strict=True)]
    return tuple(sorted(places, key=lambda place: place.meets is None))
