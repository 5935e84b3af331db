"""From newest reports to verdicts: a pure function, so that every situation is a row in a test's table.

A host is ok by a current report without a failing check; degraded by a current report with one; else there is no data
about it. A site is ok when everything it has is current and ok. What did not change since the last time is taken over
as it is: a tick costs a look at each host, and work only for those that reported or fell silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agent.link.names import CRITICAL, STALE_INTERVALS, WARNING
from agent.link.names import OK as CHECK_OK
from collector.fleet.registry import Agent, Fleet, HostEntry
from collector.verdicts import reasons as r
from collector.verdicts import standing as s
from collector.verdicts.availability import accumulate
from collector.verdicts.standing import (
    AgentStanding,
    Change,
    FailingCheck,
    HostStanding,
    Recorded,
    SiteStanding,
    Standing,
)

GRACE_INTERVALS = 2
"""After a start: intervals in which nobody is judged for not having reported yet."""
ACTIVE = "active"
_STATUS_REASONS = {"suspended": r.SUSPENDED, "revoked": r.REVOKED}
_WORST_FIRST = {CRITICAL: 0, WARNING: 1}


class CheckResult(Protocol):
    @property
    def state(self) -> int: ...
    @property
    def since_ms(self) -> int: ...
    @property
    def text(self) -> str: ...


class Report(Protocol):
    """A host's newest report. A newer one is another object: identity tells whether there is news."""

    @property
    def agent_id(self) -> bytes: ...
    @property
    def received_at_ms(self) -> int: ...
    @property
    def interval_ms(self) -> int: ...
    @property
    def checks(self) -> Mapping[str, CheckResult]: ...


class Heard(Protocol):
    @property
    def received_at_ms(self) -> int: ...
    @property
    def interval_ms(self) -> int:
        """How often it reports, as it says; 0 = not known, the site's profile holds."""


class Evidence(Protocol):
    """What is known now; ``collector.live.board.Live`` is one. Reports taken too long before their receipt are no
    evidence of now and must not be in it."""

    @property
    def hosts(self) -> Mapping[str, Report]: ...
    @property
    def agents(self) -> Mapping[bytes, Heard]: ...


@dataclass(slots=True)
class Past:
    """What the next judgement stands on: the last one, the reports it saw, and what the rows say."""

    standing: Standing = field(default_factory=Standing)
    reports: Mapping[str, Report] = field(default_factory=dict)
    hosts: dict[str, Recorded] = field(default_factory=dict)
    sites: dict[str, Recorded] = field(default_factory=dict)
    agents: dict[str, Recorded] = field(default_factory=dict)

    def book(self, kind: str) -> dict[str, Recorded]:
        return {"host": self.hosts, "site": self.sites, "agent": self.agents}[kind]

    def record(self, changes: Iterable[Change]) -> None:
        """Take over changes once their rows are committed."""
        for change in changes:
            self.book(change.kind)[change.id] = Recorded(change.after, change.at_ms, change.reason)


@dataclass(frozen=True, slots=True)
class Judged:
    standing: Standing
    reports: Mapping[str, Report]
    changes: list[Change]


def judge(fleet: Fleet, evidence: Evidence, now_ms: int, past: Past, started_at_ms: int) -> Judged:
    """Everything concluded now, and what of it differs from the rows. ``past`` is not changed."""
    return _Judgement(fleet, evidence, now_ms, past, started_at_ms).run()


class _Judgement:
    """One run of ``judge``: what its parts share."""

    def __init__(self, fleet: Fleet, evidence: Evidence, now_ms: int, past: Past, started_at_ms: int) -> None:
        self.fleet = fleet
        self.heard = evidence.agents
        self.reports = dict(evidence.hosts)  # a copy: the intake goes on while we judge
        self.now_ms = now_ms
        self.past = past
        self.started_at_ms = started_at_ms
        self.is_same_fleet = past.standing.fleet_version == fleet.version
        self.interval_ms = {site.id: site.interval_seconds * 1000 for site in fleet.sites.values()}
        self.reporting: set[bytes] = set()
        """Agents with a current report of some host."""
        self.moved: set[str] = set()
        """Sites with a host or agent that does not stand as before."""
        self.changes: list[Change] = []

    def run(self) -> Judged:
        hosts = self._hosts()
        agents = self._agents()
        sites = self._sites(hosts, agents)
        before = self.past.standing
        eligible, downtime = accumulate(before, self.now_ms)
        standing = Standing(self.now_ms, self.fleet.version, sites, hosts, agents, eligible, downtime)
        return Judged(standing, self.reports, self.changes)

    def _hosts(self) -> dict[str, HostStanding]:
        known, seen = self.past.standing.hosts, self.past.reports
        agents, now_ms, is_same_fleet = self.fleet.agents, self.now_ms, self.is_same_fleet
        reporting, reports, interval_ms = self.reporting, self.reports, self.interval_ms
        found = {}
        for host, entry in self.fleet.hosts.items():
            report = reports.get(host)
            is_current = False
            if report is not None:
                patience_ms = STALE_INTERVALS * (report.interval_ms or interval_ms[entry.site])
                is_current = now_ms - report.received_at_ms <= patience_ms
                if is_current:
                    reporting.add(report.agent_id)
            before = known.get(host)
            if (
                is_same_fleet
                and before is not None
                and seen.get(host) is report
                and before.reason != r.STARTING
                and is_current == (before.state != s.NO_DATA)
            ):
                found[host] = before
                continue
            agent = agents.get(entry.agent_id) if entry.agent_id is not None else None
            now = found[host] = self._host(entry, agent, report, is_current)
            if now != before:
                self.moved.add(entry.site)
        return found

    def _host(self, entry: HostEntry, agent: Agent | None, report: Report | None, is_current: bool) -> HostStanding:
        failing = _failing(entry.id, report) if report is not None else ()
        state, reason = s.NO_DATA, r.NEVER_REPORTED
        if agent is not None and agent.status != ACTIVE:
            reason = _STATUS_REASONS[agent.status]
        elif is_current:
            if any(check.state in (WARNING, CRITICAL) for check in failing):
                state, reason = s.DEGRADED, r.CHECKS_FAILING
            else:
                state, reason = s.OK, r.REPORTING
        elif agent is not None and self._is_grace(entry.site):
            reason = r.STARTING
        elif report is not None:
            reason = r.SILENT
        since_ms = self._since("host", entry.id, self.past.hosts, state, reason)
        return HostStanding(state, since_ms, reason, report.received_at_ms if report is not None else None, failing)

    def _agents(self) -> dict[bytes, AgentStanding]:
        known = self.past.standing.agents
        found = {}
        for agent_id, agent in self.fleet.agents.items():
            heard = self.heard.get(agent_id)
            state, reason = self._agent(agent, heard)
            since_ms = self._since("agent", agent_id.hex(), self.past.agents, state, reason)
            now = found[agent_id] = AgentStanding(
                state, since_ms, reason, heard.received_at_ms if heard is not None else None
            )
            before = known.get(agent_id)
            if before is None or (before.state, before.reason) != (now.state, now.reason):
                self.moved.add(agent.site)
        return found

    def _agent(self, agent: Agent, heard: Heard | None) -> tuple[int, str]:
        if agent.status != ACTIVE:
            return s.NO_DATA, _STATUS_REASONS[agent.status]
        own_ms = heard.interval_ms if heard is not None else 0
        patience_ms = STALE_INTERVALS * (own_ms or self.interval_ms[agent.site])
        is_heard = heard is not None and self.now_ms - heard.received_at_ms <= patience_ms
        if is_heard and (agent.id in self.reporting or not agent.hosts):
            return s.OK, r.REPORTING
        if self._is_grace(agent.site):
            return s.NO_DATA, r.STARTING
        if heard is None:
            return s.NO_DATA, r.NEVER_REPORTED
        return s.NO_DATA, r.LATE if is_heard else r.SILENT

    def _sites(
        self, hosts: Mapping[str, HostStanding], agents: Mapping[bytes, AgentStanding]
    ) -> dict[str, SiteStanding]:
        known = self.past.standing.sites
        found = {}
        for site in self.fleet.sites:
            before = known.get(site)
            if self.is_same_fleet and before is not None and site not in self.moved and before.reason != r.STARTING:
                found[site] = before
                continue
            its_hosts = [hosts[host] for host in self.fleet.hosts_by_site.get(site, ())]
            its_agents = [
                agents[agent]
                for agent in self.fleet.agents_by_site.get(site, ())
                if self.fleet.agents[agent].status == ACTIVE
            ]
            state, reason = judge_site(its_hosts, its_agents)
            states = [host.state for host in its_hosts]
            found[site] = SiteStanding(
                state,
                self._since("site", site, self.past.sites, state, reason),
                reason,
                max((host.last_report_ms for host in its_hosts if host.last_report_ms is not None), default=None),
                (states.count(0), states.count(1), states.count(2), states.count(3), states.count(4)),
                sum(agent.is_current for agent in its_agents),
                len(its_agents),
                tuple(sorted((check for host in its_hosts for check in host.failing), key=_by_weight)),
            )
        return found

    def _is_grace(self, site: str) -> bool:
        return self.now_ms < self.started_at_ms + GRACE_INTERVALS * self.interval_ms[site]

    def _since(self, kind: str, subject: str, book: Mapping[str, Recorded], state: int, reason: str) -> int:
        """Since when it has this state; notes a change where the rows say otherwise."""
        if reason == r.STARTING:
            return self.started_at_ms  # not a conclusion: what is recorded stays
        recorded = book.get(subject)
        if recorded is not None and recorded.state == state:
            return recorded.since_ms
        before = recorded.state if recorded is not None else None
        self.changes.append(Change(kind, subject, before, state, self.now_ms, reason))
        return self.now_ms


def judge_site(hosts: list[HostStanding], agents: list[AgentStanding]) -> tuple[int, str]:
    """State and reason of a site from what it has."""
    if not hosts:
        return s.NO_DATA, r.NO_HOSTS
    reasons = {host.reason for host in hosts}
    current = [host for host in hosts if host.state != s.NO_DATA]
    if not current:
        if r.STARTING in reasons:
            return s.NO_DATA, r.STARTING
        return s.NO_DATA, reasons.pop() if len(reasons) == 1 else r.SILENT
    if not reasons.isdisjoint((r.SILENT, r.SUSPENDED, r.REVOKED)):
        return s.DEGRADED, r.HOSTS_SILENT
    if any(not agent.is_current and agent.reason != r.STARTING for agent in agents):
        return s.DEGRADED, r.AGENTS_SILENT
    if any(host.state == s.DEGRADED for host in current):
        return s.DEGRADED, r.CHECKS_FAILING
    if r.STARTING in reasons or any(agent.reason == r.STARTING for agent in agents):
        return s.NO_DATA, r.STARTING
    if r.NEVER_REPORTED in reasons:
        return s.DEGRADED, r.HOSTS_NEVER_REPORTED
    return s.OK, r.REPORTING


def _failing(host: str, report: Report) -> tuple[FailingCheck, ...]:
    failing = [
        FailingCheck(host, check, result.state, result.text, result.since_ms)
        for check, result in report.checks.items()
        if result.state != CHECK_OK
    ]
    return tuple(sorted(failing, key=_by_weight)) if failing else ()


def _by_weight(check: FailingCheck) -> tuple[int, str, str]:
    return _WORST_FIRST.get(check.state, 2), check.host, check.check
