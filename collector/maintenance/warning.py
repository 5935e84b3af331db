"""What somebody should know before agreeing to a window: it meets a site's business hours, the site was not told, or nothing
behind a hub is seen meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.fleet.calendar import working_spans
from collector.fleet.registry import Fleet
from collector.maintenance.occurrence import Schedule, occurrences
from collector.maintenance.reach import HUB, affected_sites, unseen

BUSINESS_HOURS, NOT_TOLD, NO_SITE, UNSEEN = "business_hours", "not_told", "no_site", "unseen"
LOOKED_AT = 5
"""Occurrences ahead."""
AHEAD = timedelta(days=400)


class Warning(NamedTuple):
    """``began_at`` and ``ended_at``: the business hours that are met, None where that is not what it is about. ``hub`` and
    ``sites``: so many sites behind a hub are not seen while it is away."""

    code: str
    site: str = ""
    began_at: datetime | None = None
    ended_at: datetime | None = None
    hub: str = ""
    sites: int = 0


def warnings_of(
    schedule: Schedule, subjects: Iterable[tuple[str, str]], fleet: Fleet, now: datetime, *, is_told: bool
) -> list[Warning]:
    """For every site it touches, the first business hours it meets among its next occurrences."""
    subjects = tuple(subjects)
    sites = affected_sites(subjects, fleet)
    found = [Warning(UNSEEN, hub=hub, sites=count) for hub, count in unseen(subjects, fleet).items()]
    if not sites:
        is_hub = any(kind == HUB and hub in fleet.hubs for kind, hub in subjects)
        return found if is_hub else [Warning(NO_SITE)]
    spans = []
    for span in occurrences(
        schedule, now, max(now, schedule.starts_local.replace(tzinfo=ZoneInfo(schedule.timezone))) + AHEAD
    ):
        spans.append(span)
        if len(spans) == LOOKED_AT:
            break
    for site in sites:
        entry = fleet.sites[site]
        zone = ZoneInfo(entry.timezone)
        met = [each for span in spans for each in working_spans(entry.calendar, zone, *span)]
        if met:
            found.append(Warning(BUSINESS_HOURS, site, *met[0]))
        if not is_told:
            found.append(Warning(NOT_TOLD, site))
    return found
