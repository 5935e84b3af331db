"""What stands on a host, a site or what lies behind a hub: systems with grade and agency, by whatever way. Values only."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.fleet.paths import Group
from collector.fleet.registry import Fleet, Named, System
from collector.store.scope import Scope
from collector.verdicts.api import may_see
from collector.web.view import Judged, judged

if TYPE_CHECKING:
    from collector.verdicts.standing import Standing

MOST_SYSTEMS = 100


@dataclass(frozen=True, slots=True)
class Stander:
    """``groups``: those a host of it is in, empty where it only stands on ``through``, another system of the list."""

    system: System
    agency: Named | None
    verdict: Judged
    groups: tuple[Group, ...]
    through: System | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Systems the caller may see, the most important first; ``grades``: (grade, number); ``hosts``: further hosts that are
    only reached through the one asked for."""

    lines: tuple[Stander, ...]
    more: int
    grades: tuple[tuple[int, int], ...]
    agencies: tuple[Named, ...]
    hosts: int


def reach_of(hosts: Iterable[str], fleet: Fleet, standing: Standing, scope: Scope) -> Reach:
    """Of these hosts together."""
    asked = set(hosts)
    every = asked | behind(asked, fleet)
    touched = (system.id for system in fleet.systems.values() if not every.isdisjoint(system.hosts))
    direct = {system for system in touched if may_see("system", system, fleet, scope)}
    children = _children(fleet) if direct else {}
    through: dict[str, System] = {}
    waiting = deque(sorted(direct))
    while waiting:
        name = waiting.popleft()
        for child in children.get(name, ()):
            if child not in direct and child not in through and may_see("system", child, fleet, scope):
                through[child] = fleet.systems[name]
                waiting.append(child)
    found = [fleet.systems[system] for system in direct | through.keys()]
    found.sort(key=lambda system: (system.grade, system.id in through, system.id))
    lines = tuple(
        Stander(
            system,
            fleet.agencies.get(system.agency),
            judged(standing.systems.get(system.id)),
            tuple(group for group in system.groups if _hosts(group) & every),
            through.get(system.id),
        )
        for system in found[:MOST_SYSTEMS]
    )
    grades = Counter(system.grade for system in found)
    agencies = sorted({system.agency for system in found} & fleet.agencies.keys())
    return Reach(
        lines,
        len(found) - len(lines),
        tuple(sorted(grades.items())),
        tuple(fleet.agencies[agency] for agency in agencies),
        len([host for host in every - asked if scope.allows(fleet.hosts[host].agency, fleet.hosts[host].site)]),
    )


def behind(hosts: set[str], fleet: Fleet) -> set[str]:
    """Hosts that are reached through one of these, however far."""
    found: set[str] = set()
    front = set(hosts)
    while front:
        sites = {site.id for site in fleet.sites.values() if not front.isdisjoint(site.behind)}
        next_ = {host.id for host in fleet.hosts.values() if host.site in sites or not front.isdisjoint(host.behind)}
        front = next_ - found - hosts
        found |= front
    return found


def _children(fleet: Fleet) -> dict[str, list[str]]:
    """Systems that stand on a system, by whatever way."""
    found: dict[str, list[str]] = {}
    for system in fleet.systems.values():
        members = (member for group in system.groups for member in group.members if member in fleet.systems)
        for parent in dict.fromkeys((*system.depends_on, *system.uses, *members)):
            found.setdefault(parent, []).append(system.id)
    return found


def _hosts(group: Group) -> set[str]:
    return {member.partition("/")[0] for member in group.members}
