"""What a site's page shows besides its row: hosts, checks, agents and their latest reports. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.fleet.policy_state import PolicyState, policy_state
from collector.fleet.registry import Agent, Fleet, HostEntry, Site
from collector.store.scope import Scope
from collector.verdicts.standing import NO_DATA, FailingCheck, Standing
from collector.web.view import Judged, check_order, judged, visible_hosts

if TYPE_CHECKING:
    from collector.live.board import Live, LiveHost

NO_DISK = frozenset({"tmpfs", "devtmpfs", "overlay", "squashfs", "ramfs", "iso9660", "efivarfs", "fuse.lxcfs"})
"""Filesystems that are full by nature, or fill nothing that lasts."""


@dataclass(frozen=True, slots=True)
class HostLine:
    """A host in a table. Numbers are None where the host has no current report, or did not send them."""

    host: HostEntry
    verdict: Judged
    cpu_ratio: float | None
    memory_ratio: float | None
    filesystem: tuple[str, float] | None
    """Mount point and used ratio of the fullest filesystem."""
    uptime_seconds: float | None
    received_at_ms: int | None


@dataclass(frozen=True, slots=True)
class AgentLine:
    agent: Agent
    verdict: Judged
    received_at_ms: int | None
    offset_ms: int | None
    lag_ms: int | None
    version: str
    spool_records: float | None
    spool_oldest_ms: float | None
    spool_bytes: float | None
    policy: PolicyState

    @property
    def id(self) -> str:
        return self.agent.id.hex()


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A host's newest report."""

    host: str
    taken_at_ms: int
    received_at_ms: int
    series: int
    offset_ms: int


def host_line(host: HostEntry, live: Live, standing: Standing, cpu_ratio: float | None) -> HostLine:
    """A host's row; what it said last is left out unless it is current."""
    verdict = judged(standing.hosts.get(host.id))
    known = live.hosts.get(host.id)
    if known is None:
        return HostLine(host, verdict, None, None, None, None, None)
    if verdict.state == NO_DATA:
        return HostLine(host, verdict, None, None, None, None, known.received_at_ms)
    return HostLine(host, verdict, cpu_ratio, memory_ratio(known), fullest(known), uptime(known), known.received_at_ms)


def memory_ratio(host: LiveHost) -> float | None:
    """Share of memory that programs could not have."""
    total, available = host.value("node_memory_MemTotal_bytes"), host.value("node_memory_MemAvailable_bytes")
    return None if not total or available is None else 1 - available / total


def uptime(host: LiveHost) -> float | None:
    """Seconds since it booted, by its own clock on both sides."""
    booted, now = host.value("node_boot_time_seconds"), host.value("node_time_seconds")
    if booted is None:
        return None
    return (now if now is not None else (host.taken_at_ms - host.offset_ms) / 1000) - booted


def fullest(host: LiveHost) -> tuple[str, float] | None:
    """The fullest filesystem as ``df`` counts: used / (used + available)."""
    found: dict[str, dict[str, float]] = {}
    for name, _, labels, value in host.series():
        if name in ("node_filesystem_size_bytes", "node_filesystem_free_bytes", "node_filesystem_avail_bytes"):
            known = dict(labels)
            if known.get("fstype") not in NO_DISK:
                found.setdefault(known.get("mountpoint", "?"), {})[name] = value
    shares = [(share, mount) for mount, sizes in found.items() if (share := used_share(sizes)) is not None]
    if not shares:
        return None
    share, mount = max(shares)
    return mount, share


def used_share(sizes: dict[str, float]) -> float | None:
    try:
        used = sizes["node_filesystem_size_bytes"] - sizes["node_filesystem_free_bytes"]
        whole = used + sizes["node_filesystem_avail_bytes"]
    except KeyError:
        return None
    return used / whole if whole > 0 else None


def checks_of(hosts: Iterable[HostEntry], live: Live, standing: Standing) -> tuple[FailingCheck, ...]:
    """Every check, also those that are ok of these hosts, failing first; none of a host that is silent."""
    lines = [
        FailingCheck(host.id, name, check.state, check.text, check.since_ms)
        for host in hosts
        if (known := live.hosts.get(host.id)) is not None and judged(standing.hosts.get(host.id)).state != NO_DATA
        for name, check in known.checks.items()
    ]
    return tuple(sorted(lines, key=check_order))


def agent_line(agent: Agent, live: Live, standing: Standing) -> AgentLine:
    heard = live.agents.get(agent.id)
    host = live.hosts.get(agent.host)
    version = ""
    if host is not None:
        for labels, _ in host.named("agent_info"):
            version = dict(labels).get("version", "")
    oldest = host.value("agent_spool_oldest_timestamp_seconds") if host is not None else None
    records = host.value("agent_spool_records") if host is not None else None
    return AgentLine(
        agent,
        judged(standing.agents.get(agent.id)),
        heard.received_at_ms if heard is not None else None,
        heard.offset_ms if heard is not None else None,
        heard.lag_ms if heard is not None else None,
        version,
        records,
        oldest * 1000 if oldest and records else None,
        host.value("agent_spool_bytes") if host is not None else None,
        policy_state(agent.policy[0], host),
    )


def visible_agents(fleet: Fleet, site: Site, scope: Scope) -> tuple[Agent, ...]:
    """Agents of a site this scope may see: all where the site is its own, else those of its hosts."""
    agents = tuple(fleet.agents[agent] for agent in fleet.agents_by_site.get(site.id, ()))
    if scope.allows(site.agency, site.id):
        return agents
    mine = {host.id for host in visible_hosts(fleet, site, scope)}
    return tuple(agent for agent in agents if agent.hosts and agent.hosts <= mine)


def reports_of(hosts: Iterable[HostEntry], live: Live) -> tuple[ReportLine, ...]:
    """The newest report of each host, the latest received first."""
    lines = [
        ReportLine(
            host.id,
            known.taken_at_ms,
            known.received_at_ms,
            len(known.columns.shape.names),
            known.offset_ms,
        )
        for host in hosts
        if (known := live.hosts.get(host.id)) is not None
    ]
    return tuple(sorted(lines, key=lambda line: (-line.received_at_ms, line.host)))


def identity(host: LiveHost) -> dict[str, str]:
    """What the host says it is: the labels of ``node_uname_info`` and ``node_os_info``."""
    facts: dict[str, str] = {}
    for name, _, labels, _ in host.series():
        if name == "node_uname_info":
            known = dict(labels)
            facts.update({key: known[key] for key in ("nodename", "release", "machine", "sysname") if key in known})
        elif name == "node_os_info":
            known = dict(labels)
            facts["os"] = known.get("pretty_name") or known.get("name", "")
    return {key: text for key, text in facts.items() if text}
