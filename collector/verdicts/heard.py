"""What the reports alone say of hosts, agents and sites, before anyone asks why.

A host is ok by a current report without a failing check; degraded by a current report with one; else there is no data
about it. A site is ok when everything it has is current and ok. What did not change since the last time is taken over as
it is: a tick costs work only for those that reported or fell silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agent.link.names import CRITICAL, STALE_INTERVALS, WARNING
from agent.link.names import OK as CHECK_OK
from collector.fleet.registry import Agent, Fleet, HostEntry
from collector.verdicts import reasons as r
from collector.verdicts.evidence import Evidence, Heard, Report
from collector.verdicts.grace import GRACE_INTERVALS
from collector.verdicts.news import news
from collector.verdicts.pace import Pace, followed, make_pace
from collector.verdicts.standing import DEGRADED, NO_DATA, OK, FailingCheck

NEVER_MS = 1 << 62
ACTIVE = "active"
_STATUS_REASONS = {"suspended": r.SUSPENDED, "revoked": r.REVOKED}
_WORST_FIRST = {CRITICAL: 0, WARNING: 1}


Wheel = dict[int, tuple[Any, ...]]


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
    hosts_due: Wheel = field(default_factory=dict)
    """Second -> hosts that may have fallen silent by then; who reported meanwhile is put off when its turn comes."""
    agents_due: Wheel = field(default_factory=dict)
    spoken_for: Mapping[bytes, int] = field(default_factory=dict)
    """Agent -> how many hosts it has current reports of."""
    news: tuple[str, ...] = ()
    """Hosts with a report that is not the one before."""
    moved_hosts: frozenset[str] = frozenset()
    """Hosts that stand otherwise than before."""
    fresh_hosts: frozenset[str] = frozenset()
    """Hosts of which nothing but the time of the last report is new."""
    moved_agents: frozenset[bytes] = frozenset()
    pace: Pace = field(default_factory=Pace)


def hear(
    fleet: Fleet,
    evidence: Evidence,
    now_ms: int,
    past: Hearing,
    started_at_ms: int,
    silent: Mapping[str, int],
    slow: Mapping[str, int],
) -> Hearing:
    """``silent``: last reports of hosts that fell silent before there was a report to look at; ``slow``: as in ``Pace``,
    where there is no pace yet to start from."""
    return _Hearing(fleet, evidence, now_ms, past, started_at_ms, silent, slow).run()


def silent_hosts(before: Mapping[str, int], hearing: Hearing) -> Mapping[str, int]:
    """Hosts that are silent now -> their last reports."""
    if not hearing.moved_hosts and before.keys() <= hearing.hosts.keys():
        return before
    found = {host: at_ms for host, at_ms in before.items() if host in hearing.hosts}
    for host in hearing.moved_hosts:
        heard = hearing.hosts[host]
        if heard.reason == r.SILENT and heard.last_report_ms is not None:
            found[host] = heard.last_report_ms
        elif heard.speaker is not None:
            found.pop(host, None)
    return found


class _Hearing:
    def __init__(
        self,
        fleet: Fleet,
        evidence: Evidence,
        now_ms: int,
        past: Hearing,
        started_at_ms: int,
        silent: Mapping[str, int],
        slow: Mapping[str, int],
    ) -> None:
        self.fleet = fleet
        self.silent = silent
        self.reports = dict(evidence.hosts)  # a copy: the intake goes on while we judge
        self.heard = dict(evidence.agents)
        self.now_ms = now_ms
        self.past = past
        self.started_at_ms = started_at_ms
        self.is_anew = past.fleet is not fleet or now_ms < past.at_ms
        self.pace = past.pace if past.fleet is fleet else make_pace(fleet, {**slow, **past.pace.slow})
        self.spoken_for = dict(past.spoken_for) if not self.is_anew else {}
        self.told: list[tuple[str, int]] = []
        """How often hosts report that do, or did, so more seldom than is usual."""
        self.turned: set[bytes] = set()
        """Agents that have a current report now and had none, or the other way round."""

    def run(self) -> Hearing:
        fresh = news(self.reports, self.past.reports)
        hosts, hosts_due, moved, only_fresh = self._hosts(fresh)
        agents, agents_due, moved_agents = self._agents()
        if self.told:
            self.pace = followed(self.pace, self.fleet, self.told)
        return Hearing(
            self.now_ms,
            self.fleet,
            self.reports,
            self.heard,
            hosts,
            agents,
            hosts_due,
            agents_due,
            self.spoken_for,
            tuple(fresh),
            frozenset(moved),
            frozenset(only_fresh),
            frozenset(moved_agents),
            self.pace,
        )

    def _hosts(self, fresh: list[str]) -> tuple[dict[str, HeardHost], Wheel, set[str], set[str]]:
        known, before = self.fleet.hosts, self.past.hosts
        if self.is_anew:
            found: dict[str, HeardHost] = {}
            wheel: Wheel = {}
            dirty, due = set(known), set(known)
        else:
            found, wheel = dict(before), dict(self.past.hosts_due)
            due = self._due(wheel)
            dirty = {host for host in fresh if host in known} | due
        moved, only_fresh, again = set(), set(), []
        for host in dirty:
            old = None if self.is_anew else before.get(host)
            now, ends_ms = self._host(known[host])
            if (old.speaker if old is not None else None) != now.speaker:
                if old is not None and old.speaker is not None:
                    self._speaks(old.speaker, -1)
                if now.speaker is not None:
                    self._speaks(now.speaker, 1)
            # Who spoke before is in the wheel already: it is put off when its turn comes.
            if ends_ms != NEVER_MS and (host in due or old is None or old.speaker is None):
                again.append((ends_ms, host))
            if old is None or (old.state, old.reason, old.failing, old.speaker) != (now[0], now[1], now[3], now[4]):
                moved.add(host)
            elif old.last_report_ms != now.last_report_ms:
                only_fresh.add(host)
            found[host] = now
        _put_off(wheel, again)
        return found, wheel, moved, only_fresh

    def _due(self, wheel: Wheel) -> set[Any]:
        """Takes out whose turn has come."""
        return {each for second in [s for s in wheel if s * 1000 <= self.now_ms] for each in wheel.pop(second)}

    def _speaks(self, agent: bytes, count: int) -> None:
        before = self.spoken_for.get(agent, 0)
        self.spoken_for[agent] = before + count
        if (before > 0) != (before + count > 0):
            self.turned.add(agent)

    def _host(self, entry: HostEntry) -> tuple[HeardHost, int]:
        """What is heard of it, and until when that holds."""
        report = self.reports.get(entry.id)
        agent = self.fleet.agents.get(entry.agent_id) if entry.agent_id is not None else None
        last_ms = report.received_at_ms if report is not None else self.silent.get(entry.id)
        if last_ms is None and entry.id in self.pace.slow and entry.agent_id in self.heard:
            last_ms = self.heard[entry.agent_id].received_at_ms  # a start reads back only the last minutes of reports
        failing = failing_of(entry.id, report) if report is not None else ()
        current_until = 0
        if report is not None:
            interval_ms = report.interval_ms or self.pace.of_host(entry)
            if interval_ms > self.pace.usual_ms[entry.site] or entry.id in self.pace.slow:
                self.told.append((entry.id, interval_ms))
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
        grace_ends_ms = self.started_at_ms + GRACE_INTERVALS * self.pace.of_host(entry)
        if agent is not None and self.now_ms < grace_ends_ms:
            return HeardHost(NO_DATA, r.STARTING, last_ms, failing, None), grace_ends_ms - 1
        reason = r.SILENT if last_ms is not None else r.NEVER_REPORTED
        return HeardHost(NO_DATA, reason, last_ms, failing, None), NEVER_MS

    def _agents(self) -> tuple[dict[bytes, HeardAgent], Wheel, set[bytes]]:
        """An agent that is well is looked at when it may have fallen silent, not at each of its reports."""
        known, before = self.fleet.agents, self.past.agents
        if self.is_anew:
            found: dict[bytes, HeardAgent] = {}
            wheel: Wheel = {}
            dirty = due = set(known)
        else:
            found, wheel = dict(before), dict(self.past.agents_due)
            due = {agent for agent in self._due(wheel) if agent in known}
            dirty = due | {agent for agent in self.turned if agent in known}
            dirty.update([agent for agent, old in before.items() if old[0] != OK and self._is_news(agent)])
        moved, again = set(), []
        for agent in dirty:
            old = None if self.is_anew else before.get(agent)
            now, ends_ms = self._agent(known[agent])
            if ends_ms != NEVER_MS:
                again.append((ends_ms, agent))
            if old is None or old[:2] != now[:2]:
                moved.add(agent)
            found[agent] = now
        _put_off(wheel, again)
        return found, wheel, moved

    def _is_news(self, agent: bytes) -> bool:
        return self.heard.get(agent) is not self.past.heard.get(agent)

    def _agent(self, agent: Agent) -> tuple[HeardAgent, int]:
        heard = self.heard.get(agent.id)
        last_ms = heard.received_at_ms if heard is not None else None
        if agent.status != ACTIVE:
            return HeardAgent(NO_DATA, _STATUS_REASONS.get(agent.status, r.SUSPENDED), last_ms), NEVER_MS
        ends_ms = 0
        if heard is not None:
            ends_ms = heard.received_at_ms + STALE_INTERVALS * (heard.interval_ms or self.pace.of_agent(agent))
        is_heard = heard is not None and self.now_ms <= ends_ms
        if is_heard and (self.spoken_for.get(agent.id, 0) > 0 or not agent.hosts):
            return HeardAgent(OK, r.REPORTING, last_ms), ends_ms
        grace_ends_ms = self.started_at_ms + GRACE_INTERVALS * self.pace.of_agent(agent)
        if self.now_ms < grace_ends_ms:
            return HeardAgent(NO_DATA, r.STARTING, last_ms), grace_ends_ms - 1
        if heard is None:
            return HeardAgent(NO_DATA, r.NEVER_REPORTED, None), NEVER_MS
        return HeardAgent(NO_DATA, r.LATE if is_heard else r.SILENT, last_ms), ends_ms if is_heard else NEVER_MS


def _put_off(wheel: Wheel, again: list[tuple[int, Any]]) -> None:
    """Each to the first second at which it may be otherwise."""
    by_second: dict[int, set[Any]] = {}
    for ends_ms, each in again:
        by_second.setdefault(ends_ms // 1000 + 1, set()).add(each)
    for second, those in by_second.items():
        wheel[second] = (*wheel.get(second, ()), *those)


def failing_of(host: str, report: Report) -> tuple[FailingCheck, ...]:
    failing = [
        FailingCheck(host, check, result.state, result.text, result.since_ms)
        for check, result in report.checks.items()
        if result.state != CHECK_OK
    ]
    return tuple(sorted(failing, key=by_weight)) if failing else ()


def by_weight(check: FailingCheck) -> tuple[int, str, str]:
    return _WORST_FIRST.get(check.state, 2), check.host, check.check
