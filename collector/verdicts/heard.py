"""What the reports alone say of hosts, agents and sites, before anyone asks why.

A host is ok by a current report without a failing check; degraded by a current report with one; else there is no data
about it. A site is ok when everything it has is current and ok. What did not change since the last time is taken over as
it is: a tick costs work only for those that reported or fell silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.link.names import CRITICAL, STALE_INTERVALS, WARNING
from agent.link.names import OK as CHECK_OK
from collector.fleet.registry import Agent, Fleet, HostEntry
from collector.verdicts import reasons as r
from collector.verdicts.evidence import Evidence, Heard, Report
from collector.verdicts.standing import DEGRADED, DOWN, MAINTENANCE, NO_DATA, OK, FailingCheck

GRACE_INTERVALS = 2
"""After a start: intervals in which nobody is judged for not having reported yet."""
NEVER_MS = 1 << 62
ACTIVE = "active"
_STATUS_REASONS = {"suspended": r.SUSPENDED, "revoked": r.REVOKED}
_WORST_FIRST = {CRITICAL: 0, WARNING: 1}


class HeardHost(NamedTuple):
    state: int
    reason: str
    last_report_ms: int | None
    failing: tuple[FailingCheck, ...]
    speaker: bytes | None
    """The agent of its current report; None where that is not current."""


class HeardAgent(NamedTuple):
    state: int
    reason: str
    last_report_ms: int | None


@dataclass(frozen=True, slots=True)
class Hearing:
    """Everything heard at one instant; the next one starts from it."""

    at_ms: int = -1
    fleet: Fleet = field(default_factory=Fleet)
    reports: Mapping[str, Report] = field(default_factory=dict)
    heard: Mapping[bytes, Heard] = field(default_factory=dict)
    hosts: Mapping[str, HeardHost] = field(default_factory=dict)
    agents: Mapping[bytes, HeardAgent] = field(default_factory=dict)
    hosts_until: Mapping[str, int] = field(default_factory=dict)
    """Until when a host is as it is without news."""
    agents_until: Mapping[bytes, int] = field(default_factory=dict)
    spoken_for: Mapping[bytes, int] = field(default_factory=dict)
    """Agent -> how many hosts it has current reports of."""
    news: tuple[str, ...] = ()
    """Hosts with a report that is not the one before."""
    moved_hosts: frozenset[str] = frozenset()
    """Hosts of which something is other than before, be it the time of the last report."""
    moved_agents: frozenset[bytes] = frozenset()


def hear(fleet: Fleet, evidence: Evidence, now_ms: int, past: Hearing, started_at_ms: int) -> Hearing:
    return _Hearing(fleet, evidence, now_ms, past, started_at_ms).run()


class _Hearing:
    def __init__(self, fleet: Fleet, evidence: Evidence, now_ms: int, past: Hearing, started_at_ms: int) -> None:
        self.fleet = fleet
        self.reports = dict(evidence.hosts)  # a copy: the intake goes on while we judge
        self.heard = dict(evidence.agents)
        self.now_ms = now_ms
        self.past = past
        self.started_at_ms = started_at_ms
        self.interval_ms = {site.id: site.interval_seconds * 1000 for site in fleet.sites.values()}
        self.is_anew = past.fleet is not fleet or now_ms < past.at_ms
        self.spoken_for = dict(past.spoken_for) if not self.is_anew else {}
        self.turned: set[bytes] = set()
        """Agents that have a current report now and had none, or the other way round."""

    def run(self) -> Hearing:
        past = self.past
        seen = past.reports
        news = [host for host, report in self.reports.items() if seen.get(host) is not report]
        hosts, hosts_until, moved_hosts = self._hosts(news)
        agents, agents_until, moved_agents = self._agents()
        return Hearing(
            self.now_ms,
            self.fleet,
            self.reports,
            self.heard,
            hosts,
            agents,
            hosts_until,
            agents_until,
            self.spoken_for,
            tuple(news),
            frozenset(moved_hosts),
            frozenset(moved_agents),
        )

    def _hosts(self, news: list[str]) -> tuple[dict[str, HeardHost], dict[str, int], set[str]]:
        known, past = self.fleet.hosts, self.past
        now_ms = self.now_ms
        if self.is_anew:
            found: dict[str, HeardHost] = {}
            until: dict[str, int] = {}
            dirty: Iterable[str] = known
        else:
            found, until = dict(past.hosts), dict(past.hosts_until)
            dirty = {host for host in news if host in known}
            dirty.update([host for host, ends_ms in until.items() if ends_ms < now_ms])
        moved = set()
        for host in dirty:
            before = past.hosts.get(host)
            now, ends_ms = self._host(known[host])
            if not self.is_anew and before is not None and before.speaker is not None:
                self._speaks(before.speaker, -1)
            if now.speaker is not None:
                self._speaks(now.speaker, 1)
            if ends_ms == NEVER_MS:
                until.pop(host, None)
            else:
                until[host] = ends_ms
            if now != before or self.is_anew:
                moved.add(host)
            found[host] = now
        return found, until, moved

    def _speaks(self, agent: bytes, count: int) -> None:
        before = self.spoken_for.get(agent, 0)
        self.spoken_for[agent] = before + count
        if (before > 0) != (before + count > 0):
            self.turned.add(agent)

    def _host(self, entry: HostEntry) -> tuple[HeardHost, int]:
        """What is heard of it, and until when that holds."""
        report = self.reports.get(entry.id)
        agent = self.fleet.agents.get(entry.agent_id) if entry.agent_id is not None else None
        last_ms = report.received_at_ms if report is not None else None
        failing = failing_of(entry.id, report) if report is not None else ()
        current_until = 0
        if report is not None:
            interval_ms = report.interval_ms or self.interval_ms[entry.site]
            current_until = report.received_at_ms + STALE_INTERVALS * interval_ms
        is_current = report is not None and self.now_ms <= current_until
        speaker = report.agent_id if is_current and report is not None else None
        ends_ms = current_until if is_current else NEVER_MS
        if agent is not None and agent.status != ACTIVE:
            return HeardHost(
                NO_DATA, _STATUS_REASONS.get(agent.status, r.SUSPENDED), last_ms, failing, speaker
            ), ends_ms
        if is_current:
            if any(check.state in (WARNING, CRITICAL) for check in failing):
                return HeardHost(DEGRADED, r.CHECKS_FAILING, last_ms, failing, speaker), ends_ms
            return HeardHost(OK, r.REPORTING, last_ms, failing, speaker), ends_ms
        if agent is not None and self._is_grace(entry.site):
            return HeardHost(NO_DATA, r.STARTING, last_ms, failing, None), self._grace_ends_ms(entry.site) - 1
        reason = r.SILENT if report is not None else r.NEVER_REPORTED
        return HeardHost(NO_DATA, reason, last_ms, failing, None), NEVER_MS

    def _agents(self) -> tuple[dict[bytes, HeardAgent], dict[bytes, int], set[bytes]]:
        known, past = self.fleet.agents, self.past
        now_ms, seen = self.now_ms, self.past.heard
        if self.is_anew:
            found: dict[bytes, HeardAgent] = {}
            until: dict[bytes, int] = {}
            dirty: Iterable[bytes] = known
        else:
            found, until = dict(past.agents), dict(past.agents_until)
            dirty = {agent for agent, heard in self.heard.items() if seen.get(agent) is not heard and agent in known}
            dirty.update([agent for agent, ends_ms in until.items() if ends_ms < now_ms])
            dirty.update([agent for agent in self.turned if agent in known])
        moved = set()
        for agent in dirty:
            before = past.agents.get(agent)
            now, ends_ms = self._agent(known[agent])
            if ends_ms == NEVER_MS:
                until.pop(agent, None)
            else:
                until[agent] = ends_ms
            if now != before or self.is_anew:
                moved.add(agent)
            found[agent] = now
        return found, until, moved

    def _agent(self, agent: Agent) -> tuple[HeardAgent, int]:
        heard = self.heard.get(agent.id)
        last_ms = heard.received_at_ms if heard is not None else None
        if agent.status != ACTIVE:
            return HeardAgent(NO_DATA, _STATUS_REASONS.get(agent.status, r.SUSPENDED), last_ms), NEVER_MS
        ends_ms = 0
        if heard is not None:
            ends_ms = heard.received_at_ms + STALE_INTERVALS * (heard.interval_ms or self.interval_ms[agent.site])
        is_heard = heard is not None and self.now_ms <= ends_ms
        if is_heard and (self.spoken_for.get(agent.id, 0) > 0 or not agent.hosts):
            return HeardAgent(OK, r.REPORTING, last_ms), ends_ms
        if self._is_grace(agent.site):
            return HeardAgent(NO_DATA, r.STARTING, last_ms), self._grace_ends_ms(agent.site) - 1
        if heard is None:
            return HeardAgent(NO_DATA, r.NEVER_REPORTED, None), NEVER_MS
        return HeardAgent(NO_DATA, r.LATE if is_heard else r.SILENT, last_ms), ends_ms if is_heard else NEVER_MS

    def _grace_ends_ms(self, site: str) -> int:
        return self.started_at_ms + GRACE_INTERVALS * self.interval_ms[site]

    def _is_grace(self, site: str) -> bool:
        return self.now_ms < self._grace_ends_ms(site)


def judge_site(hosts: list[tuple[int, str]], agents: list[tuple[int, str]]) -> tuple[int, str]:
    """State and reason of a site from the (state, reason) of what it has. What is in maintenance is left out."""
    hosts = [host for host in hosts if host[0] != MAINTENANCE]
    if not hosts:
        return NO_DATA, r.NO_HOSTS
    reasons = {reason for _, reason in hosts}
    current = [state for state, _ in hosts if state in (OK, DEGRADED)]
    if not current:
        if r.STARTING in reasons:
            return NO_DATA, r.STARTING
        return NO_DATA, reasons.pop() if len(reasons) == 1 else r.SILENT
    if any(state == DOWN for state, _ in hosts):
        return DEGRADED, r.HOSTS_DOWN
    if not reasons.isdisjoint((r.SILENT, r.SUSPENDED, r.REVOKED, r.AGENT_DOWN, r.BEHIND)):
        return DEGRADED, r.HOSTS_SILENT
    if any(state != OK and reason != r.STARTING for state, reason in agents):
        return DEGRADED, r.AGENTS_SILENT
    if DEGRADED in current:
        return DEGRADED, r.CHECKS_FAILING
    if r.STARTING in reasons or any(reason == r.STARTING for _, reason in agents):
        return NO_DATA, r.STARTING
    if r.NEVER_REPORTED in reasons:
        return DEGRADED, r.HOSTS_NEVER_REPORTED
    return OK, r.REPORTING


def failing_of(host: str, report: Report) -> tuple[FailingCheck, ...]:
    failing = [
        FailingCheck(host, check, result.state, result.text, result.since_ms)
        for check, result in report.checks.items()
        if result.state != CHECK_OK
    ]
    return tuple(sorted(failing, key=by_weight)) if failing else ()


def by_weight(check: FailingCheck) -> tuple[int, str, str]:
    return _WORST_FIRST.get(check.state, 2), check.host, check.check
