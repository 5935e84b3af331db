"""How long one waits for the next report: what the link profile of the site says, or the host's own word where it is more.

An agent's configuration, or a policy, may name an interval of its own; each report says it. It is remembered over a restart,
for until the next report of such a host comes nothing else tells how patient one has to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collector.fleet.registry import Agent, Fleet, HostEntry


@dataclass(frozen=True, slots=True)
class Pace:
    """Milliseconds between reports."""

    slow: Mapping[str, int] = field(default_factory=dict)
    """By host: its own word, of those that report more seldom than their site's profile says."""
    usual_ms: Mapping[str, int] = field(default_factory=dict)
    """By site, as its profile says."""
    site_ms: Mapping[str, int] = field(default_factory=dict)
    """By site, of the slowest host that it has."""
    longest_ms: int = 0
    """Of all profiles; ``slowest_ms`` of all hosts."""
    slowest_ms: int = 0

    def of_host(self, entry: HostEntry) -> int:
        return self.slow.get(entry.id) or self.usual_ms[entry.site]

    def of_agent(self, agent: Agent) -> int:
        """Of the slowest host it speaks for: it may have nothing to say before."""
        usual_ms = self.usual_ms[agent.site]
        return max([usual_ms, *(self.slow.get(host, 0) for host in agent.hosts)]) if self.slow else usual_ms


def make_pace(fleet: Fleet, slow: Mapping[str, int]) -> Pace:
    """``slow`` may name hosts that are gone, or are not slow any more as the site has another profile."""
    usual_ms = {site.id: site.interval_seconds * 1000 for site in fleet.sites.values()}
    kept = {host: ms for host, ms in slow.items() if host in fleet.hosts and ms > usual_ms[fleet.hosts[host].site]}
    site_ms = dict(usual_ms) if kept else usual_ms
    for host, ms in kept.items():
        site = fleet.hosts[host].site
        site_ms[site] = max(site_ms[site], ms)
    longest_ms = max(usual_ms.values(), default=0)
    return Pace(kept, usual_ms, site_ms, longest_ms, max(kept.values(), default=longest_ms))


def followed(pace: Pace, fleet: Fleet, told: Iterable[tuple[str, int]]) -> Pace:
    """With what hosts said in newer reports: (host, milliseconds)."""
    news = [(host, ms) for host, ms in told if pace.slow.get(host) != ms]
    if not news:
        return pace
    slow = dict(pace.slow)
    for host, ms in news:
        if ms > pace.usual_ms[fleet.hosts[host].site]:
            slow[host] = ms
        else:
            slow.pop(host, None)
    return make_pace(fleet, slow)
