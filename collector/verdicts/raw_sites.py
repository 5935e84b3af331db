"""A site by what it has: the sum of its hosts and agents."""

from __future__ import annotations

from collections.abc import Mapping

from collector.fleet.registry import Fleet
from collector.verdicts import reasons as r
from collector.verdicts.finding import Finding
from collector.verdicts.heard import Hearing, by_weight
from collector.verdicts.past import RawSite
from collector.verdicts.standing import DEGRADED, DOWN, MAINTENANCE, NO_DATA, OK


def raw_site(site: str, fleet: Fleet, hearing: Hearing, own: Mapping[str, Finding]) -> RawSite:
    """``own``: what is known of hosts beyond their reports. An agent on a host in agreed work is not missed."""
    hosts = [(host, hearing.hosts[host]) for host in fleet.hosts_by_site.get(site, ())]
    maintained = {host for host, found in own.items() if found.state == MAINTENANCE}
    agents = [
        hearing.agents[agent]
        for agent in fleet.agents_by_site.get(site, ())
        if fleet.agents[agent].status == "active" and fleet.agents[agent].host not in maintained
    ]
    states = [
        (found.state, found.reason) if (found := own.get(host)) is not None else (heard.state, heard.reason)
        for host, heard in hosts
    ]
    state, reason = judge_site(states, [(agent.state, agent.reason) for agent in agents])
    codes = [code for code, _ in states]
    return RawSite(
        state,
        reason,
        max((heard.last_report_ms for _, heard in hosts if heard.last_report_ms is not None), default=None),
        (codes.count(0), codes.count(1), codes.count(2), codes.count(3), codes.count(4)),
        sum(agent.state == OK for agent in agents),
        len(agents),
        tuple(sorted((check for _, heard in hosts for check in heard.failing), key=by_weight)),
    )


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
