"""How far a disturbance reaches (영향 범위), how urgent that makes it, and until when it must be fixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from collector.fleet.registry import Fleet
from collector.incidents.signal import CRITICAL, INFO, SEVERITIES

MANY_SITES = 5
MOST_NAMED = 100
"""Of each kind kept by name; the counts are whole."""


class Impact(NamedTuple):
    sites: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    """Those judged to be affected."""
    touched: frozenset[str] = frozenset()
    """Further systems that stand on an affected host."""
    agencies: frozenset[str] = frozenset()


def systems_by_host(fleet: Fleet) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for system in fleet.systems.values():
        for host in system.hosts:
            found.setdefault(host, []).append(system.id)
    return {host: tuple(systems) for host, systems in found.items()}


def impact_of(things: Iterable[tuple[str, str]], fleet: Fleet, on_host: Mapping[str, tuple[str, ...]]) -> Impact:
    """Of (kind, id) of everything affected, the subject too; ``on_host`` as ``systems_by_host`` has it."""
    by_kind: dict[str, set[str]] = {}
    for kind, name in things:
        by_kind.setdefault(kind, set()).add(name)
    hosts = by_kind.get("host", set()) & fleet.hosts.keys()
    sites = by_kind.get("site", set()) & fleet.sites.keys()
    systems = by_kind.get("system", set()) & fleet.systems.keys()
    touched = {system for host in hosts for system in on_host.get(host, ())} - systems
    agencies = (
        {fleet.sites[site].agency for site in sites}
        | {fleet.systems[system].agency for system in systems | touched}
        | {fleet.hosts[host].agency for host in hosts}
    )
    found = (sites, hosts, systems, touched, agencies - {""})
    return Impact(*(frozenset(each) for each in found))


def places_of(impact: Impact, fleet: Fleet) -> frozenset[tuple[str, str]]:
    """(agency, site) of everything affected; no site for a system."""
    return frozenset(
        {(fleet.sites[site].agency, site) for site in impact.sites}
        | {(fleet.hosts[host].agency, fleet.hosts[host].site) for host in impact.hosts}
        | {(fleet.systems[system].agency, "") for system in impact.systems}
    )


def best_grade(systems: Iterable[str], fleet: Fleet) -> int | None:
    """1 is the highest; None where there is none."""
    return min((fleet.systems[system].grade for system in systems if system in fleet.systems), default=None)


def priority_of(severity: str, impact: Impact, fleet: Fleet) -> int:
    """1 the most urgent to 4: how far it reaches against how grave it is.

    Far: a system of grade 1, or many sites. Middle: one of grade 2, or a site. Info is never more than 4.
    """
    if severity == INFO:
        return 4
    grade = best_grade(impact.systems or impact.touched, fleet)
    reach = 1 if grade == 1 or len(impact.sites) >= MANY_SITES else 2 if grade == 2 or impact.sites else 3
    return min(4, reach + SEVERITIES.index(severity))


def fix_time(severity: str, down: Iterable[str], fleet: Fleet, seconds: Mapping[int, int]) -> timedelta | None:
    """The longest time to fix by the highest grade of what nobody can use; None where no clock runs."""
    grade = best_grade(down, fleet)
    if severity != CRITICAL or grade is None or grade not in seconds:
        return None
    return timedelta(seconds=seconds[grade])


def as_json(impact: Impact, fleet: Fleet) -> dict[str, Any]:
    """``{sites, hosts, systems: [[id, grade]], touched, agencies: [ids], site_count, host_count, grades: {"1": n}}``."""
    graded = sorted((fleet.systems[system].grade, system) for system in impact.systems)
    grades: dict[str, int] = {}
    for grade, _ in graded:
        grades[str(grade)] = grades.get(str(grade), 0) + 1
    return {
        "sites": sorted(impact.sites)[:MOST_NAMED],
        "site_count": len(impact.sites),
        "hosts": sorted(impact.hosts)[:MOST_NAMED],
        "host_count": len(impact.hosts),
        "systems": [[system, grade] for grade, system in graded][:MOST_NAMED],
        "system_count": len(impact.systems),
        "grades": grades,
        "touched": sorted(impact.touched)[:MOST_NAMED],
        "agencies": sorted(impact.agencies),
    }
