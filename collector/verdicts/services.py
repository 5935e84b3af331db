"""Systems and interfaces on top of hosts: only what stands on something that changed is judged anew."""

from __future__ import annotations

from collections.abc import Mapping

from agent.link.names import CRITICAL, WARNING
from agent.link.names import OK as CHECK_OK
from collector.fleet.paths import MemberKind, member_kind
from collector.fleet.registry import Fleet
from collector.verdicts import reasons as r
from collector.verdicts.evidence import Report, Window
from collector.verdicts.finding import Finding
from collector.verdicts.heard import Hearing
from collector.verdicts.index import Index, system_parents
from collector.verdicts.standing import (
    DEGRADED,
    DOWN,
    NO_DATA,
    OK,
    STATES,
    Fact,
    HostStanding,
    PlaceStanding,
    SiteStanding,
)
from collector.verdicts.systems import Member, judge_system
from collector.verdicts.work import in_window

Findings = dict[str, Finding]
OF_CHECK = {CHECK_OK: OK, WARNING: DEGRADED, CRITICAL: DOWN}


def judge_services(
    fleet: Fleet,
    index: Index,
    sites: Mapping[str, SiteStanding],
    hosts: Mapping[str, HostStanding],
    hearing: Hearing,
    windows: Mapping[tuple[str, str], Window],
    changed_hosts: frozenset[str],
    before: Mapping[str, Finding],
    *,
    is_anew: bool,
) -> tuple[Findings, Findings]:
    """(systems, interfaces)."""
    looking = Members(fleet, sites, hosts, hearing.reports)
    maintained = {system for kind, system in windows if kind == "system"}
    maintained |= {system for system, found in before.items() if found.cause.startswith("maintenance:")}
    dirty = {system for host in changed_hosts for system in index.systems_on_host.get(host, ())} | maintained
    found: Findings = {} if is_anew else dict(before)
    if is_anew or dirty:
        for system in index.systems_in_order:
            if not (is_anew or system.id in dirty or any(parent in dirty for parent in system_parents(system))):
                continue
            window = windows.get(("system", system.id))
            looking.systems = found
            now = in_window(window) if window is not None else judge_system(system, looking.member, found)
            if now != found.get(system.id):
                found[system.id] = now
                dirty.add(system.id)
    ends = {}
    for interface in fleet.interfaces.values():
        if not interface.check:
            ends[interface.id] = Finding(NO_DATA, r.NOT_PROBED)
            continue
        member = looking.member(interface.check)
        reason = r.REPORTING if member.state == OK else r.CHECKS_FAILING if member.state != NO_DATA else r.SILENT
        facts = (Fact("member", interface.check, STATES[member.state]),) if member.state != OK else ()
        ends[interface.id] = Finding(member.state, reason, member.cause, facts)
    return found, ends


class Members:
    """How hosts, checks and systems stand for whoever is made of them."""

    def __init__(
        self,
        fleet: Fleet,
        sites: Mapping[str, SiteStanding],
        hosts: Mapping[str, HostStanding],
        reports: Mapping[str, Report],
        systems: Mapping[str, Finding] | Mapping[str, PlaceStanding] | None = None,
    ) -> None:
        """``reports``: newest ones by host."""
        self._fleet, self._sites, self._hosts, self._reports = fleet, sites, hosts, reports
        self.systems: Mapping[str, Finding] | Mapping[str, PlaceStanding] = systems or {}

    def member(self, name: str) -> Member:
        kind = member_kind(name)
        if kind is MemberKind.SYSTEM:
            found = self.systems.get(name)
            return Member(found.state, found.cause or f"system:{name}") if found is not None else Member(NO_DATA, "")
        host, _, check = name.partition("/")
        member = self._host(host)
        if kind is MemberKind.HOST or member.state in (NO_DATA, DOWN) or not check:
            return member
        report = self._reports.get(host)
        result = report.checks.get(check) if report is not None else None
        if member.state == DEGRADED or member.state == OK:
            state = OF_CHECK.get(result.state, NO_DATA) if result is not None else NO_DATA
            return Member(state, "" if state == OK else f"host:{host}")
        return member

    def _host(self, host: str) -> Member:
        standing, entry = self._hosts.get(host), self._fleet.hosts.get(host)
        if standing is None or entry is None:
            return Member(NO_DATA, "")
        cause = standing.cause or ("" if standing.state == OK else f"host:{host}")
        site = self._sites.get(entry.site)
        is_cut_off = standing.state == NO_DATA and site is not None and site.state == DOWN
        is_behind_dead = standing.reason == r.BEHIND and standing.cause.startswith("host:")
        return Member(DOWN, cause) if is_cut_off or is_behind_dead else Member(standing.state, cause)
