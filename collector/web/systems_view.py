"""What the pages of information systems show: recovery by grade, each system with its groups, what hangs on what. Values only.

A member that cannot serve counts as out, whoever is at fault: the same reading as the verdict's own (``Members``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.fleet.paths import Group, Interface, MemberKind, member_kind
from collector.fleet.registry import Fleet, HostEntry, Named, System
from collector.live.reconcile import unmonitored, unregistered
from collector.store.scope import Scope
from collector.verdicts.api import may_see
from collector.verdicts.services import Members
from collector.verdicts.standing import DEGRADED, NO_DATA, OK, Standing
from collector.web.view import Judged, judged

if TYPE_CHECKING:
    from collector.live.board import Live

GRADES = (1, 2, 3, 4)
SERVING = (OK, DEGRADED)


@dataclass(frozen=True, slots=True)
class MemberLine:
    """``link`` is empty where the caller may not open it."""

    name: str
    kind: str
    state: int
    cause: str
    link: str


@dataclass(frozen=True, slots=True)
class GroupLine:
    group: Group
    serving: int
    members: tuple[MemberLine, ...]

    @property
    def state(self) -> int:
        """How the group looks at a glance: enough serve, or the worst of its members."""
        worst = max((member.state for member in self.members), default=NO_DATA)
        return worst if self.serving < self.group.needed else min(worst, DEGRADED)


@dataclass(frozen=True, slots=True)
class SystemLine:
    system: System
    agency: Named | None
    verdict: Judged
    groups: tuple[GroupLine, ...]


@dataclass(frozen=True, slots=True)
class GradeLine:
    """Of one grade: systems by state code, and how many of all serve."""

    grade: int
    counts: tuple[int, int, int, int, int]

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def serving(self) -> int:
        return self.counts[OK] + self.counts[DEGRADED]


@dataclass(frozen=True, slots=True)
class End:
    """One end of an interface. ``link`` is empty where the caller may not open the system."""

    id: str
    system: System | None
    link: str
    owner_id: str
    owner: Named | None


@dataclass(frozen=True, slots=True)
class InterfaceLine:
    """Both ends with their owners; both are told."""

    interface: Interface
    verdict: Judged
    source: End
    target: End


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Two lists that should be empty, as far as the caller may see."""

    unmonitored: tuple[HostEntry, ...]
    unregistered: tuple[HostEntry, ...]


def members_of(fleet: Fleet, live: Live, standing: Standing) -> Members:
    return Members(fleet, standing.sites, standing.hosts, live.hosts, standing.systems)


def system_line(system: System, fleet: Fleet, members: Members, standing: Standing, scope: Scope) -> SystemLine:
    return SystemLine(
        system,
        fleet.agencies.get(system.agency),
        judged(standing.systems.get(system.id)),
        tuple(group_line(group, fleet, members, scope) for group in system.groups),
    )


def group_line(group: Group, fleet: Fleet, members: Members, scope: Scope) -> GroupLine:
    lines = tuple(member_line(name, fleet, members, scope) for name in group.members)
    return GroupLine(group, sum(line.state in SERVING for line in lines), lines)


def member_line(name: str, fleet: Fleet, members: Members, scope: Scope) -> MemberLine:
    found, kind = members.member(name), member_kind(name)
    host = name.partition("/")[0]
    if kind is MemberKind.SYSTEM:
        link = f"/systems/{name}" if may_see("system", name, fleet, scope) else ""
    else:
        link = f"/hosts/{host}" if may_see("host", host, fleet, scope) else ""
    return MemberLine(name, kind.value, found.state, found.cause, link)


def grade_lines(lines: Iterable[SystemLine]) -> tuple[GradeLine, ...]:
    """Grades that have any, the most important first."""
    counts = {grade: [0, 0, 0, 0, 0] for grade in GRADES}
    for line in lines:
        counts.setdefault(line.system.grade, [0, 0, 0, 0, 0])[line.verdict.state] += 1
    return tuple(
        GradeLine(grade, (found[0], found[1], found[2], found[3], found[4]))
        for grade, found in sorted(counts.items())
        if sum(found)
    )


def by_grade(lines: Iterable[SystemLine]) -> dict[int, list[SystemLine]]:
    """The worst of each grade first; ties by id, so nothing jumps."""
    found: dict[int, list[SystemLine]] = {}
    for line in sorted(lines, key=lambda line: (line.system.grade, -line.verdict.state, line.system.id)):
        found.setdefault(line.system.grade, []).append(line)
    return found


def interface_lines(fleet: Fleet, standing: Standing, scope: Scope, system: str = "") -> tuple[InterfaceLine, ...]:
    """Interfaces one of whose owners the caller is, the worst first; of one system where it is given."""
    lines = [
        InterfaceLine(
            each,
            judged(standing.interfaces.get(each.id)),
            _end(each.source, each.source_owner, fleet, scope),
            _end(each.target, each.target_owner, fleet, scope),
        )
        for each in fleet.interfaces.values()
        if (not system or system in (each.source, each.target)) and may_see("interface", each.id, fleet, scope)
    ]
    return tuple(sorted(lines, key=lambda line: (-line.verdict.state, line.interface.id)))


def _end(system: str, owner: str, fleet: Fleet, scope: Scope) -> End:
    link = f"/systems/{system}" if may_see("system", system, fleet, scope) else ""
    return End(system, fleet.systems.get(system), link, owner, fleet.agencies.get(owner))


def standing_on(system: str, fleet: Fleet, scope: Scope) -> tuple[System, ...]:
    """Systems that stand on this one, by whatever way, and that the caller may see: its blast radius."""
    return tuple(
        other
        for other in fleet.systems.values()
        if (system in (*other.depends_on, *other.uses) or any(system in group.members for group in other.groups))
        and may_see("system", other.id, fleet, scope)
    )


def reconciled(fleet: Fleet, live: Live, standing: Standing, scope: Scope) -> Reconciled:
    lists = [
        tuple(host for host in found if scope.allows(host.agency, host.site))
        for found in (unmonitored(fleet, live, standing.hosts), unregistered(fleet, live))
    ]
    return Reconciled(lists[0], lists[1])


class Counts:
    """How many hosts are in both lists, for the board: looked at anew where the fleet changed or some seconds passed."""

    KEPT_MS = 5_000
    KEPT_SCOPES = 64

    def __init__(self) -> None:
        self._known: Mapping[Scope, tuple[Fleet, int, tuple[int, int]]] = {}

    def of(self, fleet: Fleet, live: Live, standing: Standing, scope: Scope, now_ms: int) -> tuple[int, int]:
        """(registered and not monitored, monitored and not registered)."""
        known = self._known.get(scope)
        if known is not None and known[0] is fleet and 0 <= now_ms - known[1] < self.KEPT_MS:
            return known[2]
        found = reconciled(fleet, live, standing, scope)
        counts = len(found.unmonitored), len(found.unregistered)
        kept = self._known if len(self._known) < self.KEPT_SCOPES else {}
        self._known = {**kept, scope: (fleet, now_ms, counts)}
        return counts
