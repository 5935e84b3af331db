"""A site by what it has: the sum of its hosts and agents."""

from __future__ import annotations

from collections.abc import Mapping

from collector.fleet.registry import Fleet
from collector.verdicts.finding import Finding
from collector.verdicts.heard import Hearing, by_weight, judge_site
from collector.verdicts.past import RawSite
from collector.verdicts.standing import MAINTENANCE, OK


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
