"""What of an incident somebody may see: a tenant reads what touches them, and of what else it reaches only what is
theirs. Names of others' sites, hosts and systems are left out of impact, evidence, signals and course. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from collector.fleet.registry import Fleet, Site
from collector.incidents.incident import Event, Incident, SignalRow
from collector.store.scope import EVERYTHING, Scope

OF_OTHERS = frozenset({"joined", "left", "took_in", "gave_back", "merged", "grew"})
"""Events whose data name other things than the incident's own subject."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The impact as far as the reader may see it; counts are of what may be seen."""

    sites: tuple[Site, ...]
    hosts: tuple[str, ...]
    systems: tuple[tuple[str, int], ...]
    touched: tuple[str, ...]
    agencies: tuple[str, ...]
    more_sites: int = 0
    more_hosts: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.sites or self.hosts or self.systems or self.touched)


def reach(incident: Incident, fleet: Fleet, scope: Scope) -> Reach:
    """Of the impact what ``scope`` may see."""
    impact = incident.impact
    sites = [fleet.sites[name] for name in impact.get("sites", ()) if name in fleet.sites]
    hosts = [fleet.hosts[name] for name in impact.get("hosts", ()) if name in fleet.hosts]
    mine = [site for site in sites if scope.allows(site.agency, site.id)]
    own_hosts = [host for host in hosts if scope.allows(host.agency, host.site)]
    is_all = scope == EVERYTHING
    return Reach(
        tuple(mine),
        tuple(host.id for host in own_hosts),
        tuple((name, grade) for name, grade in impact.get("systems", ()) if sees_system(name, fleet, scope)),
        tuple(name for name in impact.get("touched", ()) if sees_system(name, fleet, scope)),
        tuple(name for name in impact.get("agencies", ()) if scope.agencies is None or name in scope.agencies),
        max(0, impact.get("site_count", 0) - len(sites)) if is_all else 0,
        max(0, impact.get("host_count", 0) - len(hosts)) if is_all else 0,
    )


def sees_system(name: str, fleet: Fleet, scope: Scope) -> bool:
    found = fleet.systems.get(name)
    return found is not None and scope.sites is None and (scope.agencies is None or found.agency in scope.agencies)


def evidence(incident: Incident, fleet: Fleet, scope: Scope) -> list[tuple[str, str, str, int | None]]:
    """What it was concluded from; none of it that names what is not the reader's."""
    return [row for row in incident.evidence if not _is_of_others((row[1], row[2]), fleet, scope)]


def signals(rows: Sequence[SignalRow], fleet: Fleet, scope: Scope) -> list[SignalRow]:
    """Those the reader may see: of an alert by its labels."""
    if scope == EVERYTHING:
        return list(rows)
    return [row for row in rows if row.labels and not _is_of_others([v for _, v in row.labels], fleet, scope)]


def course(events: Sequence[Event], scope: Scope) -> list[Event]:
    """The newest first."""
    found = events if scope == EVERYTHING else [event for event in events if event.kind not in OF_OTHERS]
    return list(reversed(found))


def narrowed(incident: Incident, fleet: Fleet, scope: Scope) -> Incident:
    """The incident as somebody with this scope may take it out of here."""
    seen = reach(incident, fleet, scope)
    grades: dict[str, int] = {}
    for _, grade in seen.systems:
        grades[str(grade)] = grades.get(str(grade), 0) + 1
    impact = {
        "sites": tuple(site.id for site in seen.sites),
        "site_count": len(seen.sites),
        "hosts": seen.hosts,
        "host_count": len(seen.hosts),
        "systems": seen.systems,
        "system_count": len(seen.systems),
        "grades": grades,
        "touched": seen.touched,
        "agencies": seen.agencies,
    }
    return replace(incident, impact=impact, evidence=tuple(evidence(incident, fleet, scope)))


def _is_of_others(texts: Iterable[str], fleet: Fleet, scope: Scope) -> bool:
    if scope == EVERYTHING:
        return False
    for text in texts:
        site, host, system = fleet.sites.get(text), fleet.hosts.get(text), fleet.systems.get(text)
        if site is not None and not scope.allows(site.agency, site.id):
            return True
        if host is not None and not scope.allows(host.agency, host.site):
            return True
        if system is not None and not sees_system(text, fleet, scope):
            return True
        if text in fleet.hubs:
            return True
    return False
