"""Open incidents on ``/metrics``, by site and by agency: what boards of one site or one agency ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from collector.exposition.fleet import place
from collector.exposition.text import family
from collector.fleet.registry import Fleet
from collector.incidents.signal import SEVERITIES
from collector.store.scope import Scope

OpenAt = Mapping[tuple[str, str, str], int]
"""(severity, agency, site) -> how many are open; "" where an incident has none."""


def incidents_text(fleet: Fleet, counts: OpenAt | None, scope: Scope) -> Iterator[bytes]:
    """Zeros too, so that a calm site differs from one nobody knows about; nothing before the first look."""
    if counts is None:
        return
    sites: Counter[str] = Counter()
    agencies: Counter[tuple[str, str]] = Counter()
    for (severity, agency, site), count in counts.items():
        sites[site] += count
        agencies[agency, severity] += count
    shown = [site for site in fleet.sites.values() if scope.allows(site.agency, site.id)]
    yield family("bongsu_site_incidents_open", ((place(site), sites[site.id]) for site in shown))
    whole = [agency for agency in sorted(fleet.agencies) if scope.sites is None and scope.allows(agency, None)]
    yield family(
        "bongsu_agency_incidents_open",
        (((agency, severity), agencies[agency, severity]) for agency in whole for severity in SEVERITIES),
    )
