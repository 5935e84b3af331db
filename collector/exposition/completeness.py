"""Completeness on ``/metrics``: each site's last judged hour in numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from collector.completeness.hours import ROLLED_UP, SiteHour
from collector.exposition.fleet import place
from collector.exposition.text import family
from collector.fleet.registry import Fleet
from collector.store.scope import Scope

FAMILIES: Mapping[str, Callable[[SiteHour], float | None]] = {
    "bongsu_completeness_expected_samples": lambda hour: hour.expected,
    "bongsu_completeness_received_samples": lambda hour: hour.received,
    "bongsu_completeness_late_samples": lambda hour: hour.late,
    "bongsu_completeness_lost_samples": lambda hour: hour.lost_for_good,
    "bongsu_completeness_rolled_up_samples": lambda hour: hour.lost.get(ROLLED_UP, 0),
    "bongsu_completeness_ratio": lambda hour: hour.ratio,
}


def completeness_text(fleet: Fleet, latest: Mapping[str, SiteHour], scope: Scope) -> Iterator[bytes]:
    """Sites of which no hour was judged yet have none; a site of which nothing was expected has no ratio."""
    shown = [
        (place(site), latest[site.id])
        for site in fleet.sites.values()
        if site.id in latest and scope.allows(site.agency, site.id)
    ]
    for name, read in FAMILIES.items():
        rows = ((labels, value) for labels, hour in shown if (value := read(hour)) is not None)
        yield family(name, rows)
