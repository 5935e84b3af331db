"""Is a system up? Its groups say how many of their members must serve; what it depends on must be up as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from collector.fleet.paths import Group
from collector.fleet.registry import System
from collector.verdicts import reasons as r
from collector.verdicts.finding import Finding
from collector.verdicts.standing import DEGRADED, DOWN, MAINTENANCE, NO_DATA, OK, STATES, Fact


class Member(NamedTuple):
    """How a member stands for its group: DOWN where it cannot serve, whoever is at fault."""

    state: int
    cause: str


def judge_system(system: System, member: Callable[[str], Member], systems: Mapping[str, Finding]) -> Finding:
    """``member``: of a host, check or system by its name; ``systems``: those it stands on, judged before."""
    if not system.groups and not system.depends_on:
        return Finding(NO_DATA, r.NO_MEMBERS)
    found = [judge_group(group, [(name, member(name)) for name in group.members]) for group in system.groups]
    found += [_depends(systems[name], name, is_vital=True) for name in system.depends_on if name in systems]
    found += [_depends(systems[name], name, is_vital=False) for name in system.uses if name in systems]
    return max(found, key=lambda each: each.state)


def judge_group(group: Group, members: list[tuple[str, Member]]) -> Finding:
    states = [member.state for _, member in members]
    serving = sum(state in (OK, DEGRADED) for state in states)
    unknown, down, maintained = states.count(NO_DATA), states.count(DOWN), states.count(MAINTENANCE)
    facts = tuple(Fact("member", name, STATES[member.state]) for name, member in members if member.state != OK)[:20]
    cause = next((member.cause for _, member in sorted(members, key=lambda each: -each[1].state) if member.cause), "")
    needed = group.needed
    if serving >= needed:
        if states.count(OK) >= needed:
            if down:
                return Finding(DEGRADED, r.REDUNDANCY_LOST, cause, facts)
            if unknown:
                return Finding(DEGRADED, r.MEMBERS_UNKNOWN, cause, facts)
            return Finding(OK, r.REPORTING)
        return Finding(DEGRADED, r.MEMBERS_DEGRADED, cause, facts)
    if serving + unknown >= needed:
        return Finding(NO_DATA, r.MEMBERS_UNKNOWN, cause, facts)
    if serving + unknown + maintained >= needed:
        return Finding(MAINTENANCE, r.UNDER_MAINTENANCE, cause, facts)
    return Finding(DOWN, r.MEMBERS_DOWN, cause, facts)


def _depends(parent: Finding, name: str, *, is_vital: bool) -> Finding:
    if parent.state in (OK, MAINTENANCE):
        return Finding(OK, r.REPORTING)
    fact = (Fact("dependency", name, STATES[parent.state]),)
    state = parent.state if is_vital else DEGRADED if parent.state == DOWN else OK
    if parent.reason in r.SELF_EXPLAINED:
        state = min(state, NO_DATA) if is_vital else OK
    return Finding(state, r.DEPENDENCY, parent.cause or f"system:{name}", fact) if state else Finding(OK, r.REPORTING)
