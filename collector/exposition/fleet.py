"""``/metrics``: one line a site for what boards and rules of the whole fleet need; hosts stay on their sites' pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from collector.exposition.geohash import geohash
from collector.exposition.text import Row, family
from collector.fleet.registry import Fleet, Site
from collector.live.board import Live
from collector.live.reconcile import unmonitored, unregistered
from collector.store.scope import Scope
from collector.verdicts.standing import Standing


def fleet_text(fleet: Fleet, live: Live, standing: Standing, scope: Scope) -> Iterator[bytes]:
    """The families of the fleet, each in one piece."""
    sites = [site for site in fleet.sites.values() if scope.allows(site.agency, site.id)]
    shown = {site.id: place(site) for site in sites}
    yield family("bongsu_site_info", (((*place(site), *facts(site)), 1) for site in sites))
    yield family("bongsu_site_state", states(standing, shown))
    for name, seconds in (
        ("bongsu_site_eligible_seconds_total", standing.eligible_seconds),
        ("bongsu_site_downtime_seconds_total", standing.downtime_seconds),
    ):
        yield family(name, ((labels, seconds[site]) for site, labels in shown.items() if site in seconds))
    yield family("bongsu_maintenance_active", ((v, site in standing.maintained_sites) for site, v in shown.items()))
    yield family("bongsu_link_state", links(fleet, standing, shown))
    systems = {
        s.id: (s.agency, s.id, str(s.grade))
        for s in fleet.systems.values()
        if scope.sites is None and scope.allows(s.agency, None)
    }
    yield family(
        "bongsu_system_state", ((v, standing.systems[s].state) for s, v in systems.items() if s in standing.systems)
    )
    for name, seconds in (
        ("bongsu_system_eligible_seconds_total", standing.system_eligible_seconds),
        ("bongsu_system_downtime_seconds_total", standing.system_downtime_seconds),
    ):
        yield family(name, ((labels, seconds[system]) for system, labels in systems.items() if system in seconds))
    for name, counts in (
        ("bongsu_hosts_unmonitored", unmonitored(fleet, live, standing.hosts)),
        ("bongsu_hosts_unregistered", unregistered(fleet, live)),
    ):
        owners = Counter(host.agency for host in counts if scope.allows(host.agency, host.site))
        yield family(
            name,
            (
                ((agency,), owners[agency])
                for agency in sorted(fleet.agencies)
                if scope.sites is None and scope.allows(agency, None)
            ),
        )
    counted = sorted(live.reports.items())
    yield family("bongsu_reports_total", (((*shown[s], result), n) for (s, result), n in counted if s in shown))
    yield family("bongsu_ingest_lag_seconds", lags(fleet, live, shown))
    yield family("bongsu_probe_info", ((labels, 1) for labels in probed(fleet, shown)))


def place(site: Site) -> tuple[str, str, str]:
    return site.agency, site.hub, site.id


def facts(site: Site) -> tuple[str, str, str]:
    position = ""
    if site.latitude is not None and site.longitude is not None:
        position = geohash(site.latitude, site.longitude)
    return position, site.timezone, site.link_profile


def states(standing: Standing, shown: dict[str, tuple[str, str, str]]) -> Iterable[Row]:
    return ((labels, standing.sites[site].state) for site, labels in shown.items() if site in standing.sites)


def links(fleet: Fleet, standing: Standing, shown: dict[str, tuple[str, str, str]]) -> Iterable[Row]:
    for link in fleet.links.values():
        if link.site in shown and link.id in standing.links:
            yield (*shown[link.site], link.name), standing.links[link.id].state


def probed(fleet: Fleet, shown: dict[str, tuple[str, str, str]]) -> Iterable[tuple[str, ...]]:
    """Each target with what it stands for, once, however many look at it."""
    found = {}
    for probe in fleet.probes:
        link = fleet.links.get(probe.link)
        site = link.site if link is not None else probe.site
        if site in shown:
            found[(*shown[site], link.name if link is not None else "", probe.target)] = True
    return found


def lags(fleet: Fleet, live: Live, shown: dict[str, tuple[str, str, str]]) -> Iterable[Row]:
    """Age of each site's newest record when it was received: the worst of its agents that report."""
    for site, labels in shown.items():
        known = [live.agents[a].lag_ms for a in fleet.agents_by_site.get(site, ()) if a in live.agents]
        if known:
            yield labels, max(known) / 1000
