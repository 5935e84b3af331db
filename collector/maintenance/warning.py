"""What somebody should know before agreeing to a window: it meets a site's business hours, or the site was not told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.fleet.calendar import working_spans
from collector.fleet.registry import Fleet
from collector.maintenance.occurrence import Schedule, occurrences

BUSINESS_HOURS, NOT_TOLD, NO_SITE = "business_hours", "not_told", "no_site"
LOOKED_AT = 5
"""Occurrences ahead."""
AHEAD = timedelta(days=400)


class Warning(NamedTuple):
    """``began_at`` and ``ended_at``: the business hours that are met, None where that is not what it is about."""

    code: str
    site: str = ""
    began_at: datetime | None = None
    ended_at: datetime | None = None


def warnings_of(
    schedule: Schedule, subjects: Iterable[tuple[str, str]], fleet: Fleet, now: datetime, *, is_told: bool
) -> list[Warning]:
    """For every site it touches, the first business hours it meets among its next occurrences."""
    sites = affected_sites(subjects, fleet)
    if not sites:
        return [Warning(NO_SITE)]
    spans = []
    for span in occurrences(
        schedule, now, max(now, schedule.starts_local.replace(tzinfo=ZoneInfo(schedule.timezone))) + AHEAD
    ):
        spans.append(span)
        if len(spans) == LOOKED_AT:
            break
    found = []
    for site in sites:
        entry = fleet.sites[site]
        zone = ZoneInfo(entry.timezone)
        met = [each for span in spans for each in working_spans(entry.calendar, zone, *span)]
        if met:
            found.append(Warning(BUSINESS_HOURS, site, *met[0]))
        if not is_told:
            found.append(Warning(NOT_TOLD, site))
    return found


def affected_sites(subjects: Iterable[tuple[str, str]], fleet: Fleet) -> Sequence[str]:
    """Sites named, sites of hosts named, and sites a system named stands at."""
    found: dict[str, None] = {}
    for kind, subject in subjects:
        if kind == "site" and subject in fleet.sites:
            found[subject] = None
        hosts = (
            (subject,)
            if kind == "host"
            else fleet.systems[subject].hosts
            if kind == "system" and subject in fleet.systems
            else ()
        )
        for host in hosts:
            if host in fleet.hosts:
                found[fleet.hosts[host].site] = None
    return sorted(found)
