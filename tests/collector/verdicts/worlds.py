"""Small fleets and what was heard of them, for tables of situations. Times are seconds after ``START``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agent.link.model import Labels
from collector.fleet.registry import Agent, Fleet, HostEntry, Site
from collector.verdicts.evidence import Window

START = 1_800_000_000_000
"""When the collector of these tests started, in milliseconds."""
INTERVAL = 15


@dataclass(frozen=True)
class Check:
    state: int
    since_ms: int = START
    text: str = ""


@dataclass(frozen=True)
class Reported:
    agent_id: bytes
    received_at_ms: int
    interval_ms: int = INTERVAL * 1000
    checks: Mapping[str, Check] = field(default_factory=dict)
    numbers: Mapping[str, tuple[tuple[Labels, float], ...]] = field(default_factory=dict)
    """Series by name."""

    def has(self, name: str) -> bool:
        return name in self.numbers

    def named(self, name: str) -> Iterator[tuple[Labels, float]]:
        return iter(self.numbers.get(name, ()))


@dataclass(frozen=True)
class HeardAt:
    received_at_ms: int
    interval_ms: int = 0


@dataclass
class Known:
    hosts: dict[str, Reported] = field(default_factory=dict)
    agents: dict[bytes, HeardAt] = field(default_factory=dict)
    hub_seen_ms: dict[str, int] = field(default_factory=dict)
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)


def agent_id(name: str) -> bytes:
    return name.encode().ljust(16, b"\0")


def site(name: str, profile: str = "lan") -> Site:
    return Site(name, "mofa", "", name, name, None, None, "Asia/Seoul", profile)


def fleet(
    hosts: Mapping[str, str | None],
    status: Mapping[str, str] | None = None,
    profile: str = "lan",
    version: int = 1,
    sites: tuple[str, ...] = ("seoul",),
) -> Fleet:
    """A fleet from ``{"srv1.seoul": "agent name, or None"}``; the site is the part after the dot."""
    entries = {
        host: HostEntry(
            host, host.split(".")[0], host.split(".")[1], "mofa", False, "", agent_id(agent) if agent else None
        )
        for host, agent in hosts.items()
    }
    names = {agent: host.split(".")[1] for host, agent in hosts.items() if agent}
    agents = {
        agent_id(name): Agent(
            agent_id(name),
            where,
            next(host for host, agent in hosts.items() if agent == name),
            (status or {}).get(name, "active"),
            {},
            frozenset(host for host, agent in hosts.items() if agent == name),
        )
        for name, where in names.items()
    }
    all_sites = dict.fromkeys((*sites, *(entry.site for entry in entries.values())))
    return Fleet(
        version=version,
        sites={name: site(name, profile) for name in all_sites},
        hosts=entries,
        agents=agents,
        hosts_by_site={s: tuple(h for h, e in entries.items() if e.site == s) for s in all_sites},
        agents_by_site={s: tuple(a for a, e in agents.items() if e.site == s) for s in all_sites},
    )


def known(reports: Mapping[str, tuple[str, float] | tuple[str, float, Mapping[str, int]]], **heard: float) -> Known:
    """What was heard: ``{"srv1.seoul": (agent, at, {check: state})}``; an agent is heard with its reports at least."""
    found = Known()
    for host, (agent, at, *checks) in reports.items():
        found.hosts[host] = Reported(
            agent_id(agent),
            START + round(at * 1000),
            checks={name: Check(state) for name, state in (checks[0] if checks else {}).items()},
        )
        before = found.agents.get(agent_id(agent))
        latest = max(before.received_at_ms if before else 0, START + round(at * 1000))
        found.agents[agent_id(agent)] = HeardAt(latest)
    for agent, at in heard.items():
        found.agents[agent_id(agent)] = HeardAt(START + round(at * 1000))
    return found
