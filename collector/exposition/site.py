"""``/metrics/sites/{site}``: its hosts' own series, and what we say about its hosts, agents and checks."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator

from collector.exposition.hosts import host_text
from collector.exposition.text import Row, family, host_labels
from collector.fleet.registry import Fleet, HostEntry, Site
from collector.live.board import Live
from collector.store.scope import Scope
from collector.verdicts.standing import Standing

Shard = tuple[int, int]
"""(i, n): the i-th of n parts, i from 0."""
WHOLE: Shard = (0, 1)


def parse_shard(text: str) -> Shard:
    """``i/n`` -> (i, n). Raises ValueError."""
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal()) or not 0 <= int(index) < int(count) <= 10_000:
        raise ValueError(f"shard {text!r}: expected i/n with 0 <= i < n, such as 0/4")
    return int(index), int(count)


def in_shard(host_id: str, shard: Shard) -> bool:
    return shard[1] == 1 or zlib.crc32(host_id.encode()) % shard[1] == shard[0]


async def site_text(
    fleet: Fleet, live: Live, standing: Standing, site: Site, scope: Scope, shard: Shard, now_ms: int
) -> AsyncIterator[bytes]:
    """The whole exposition of a site (or of one shard of it), in chunks."""
    shown = [
        host
        for host_id in fleet.hosts_by_site.get(site.id, ())
        if in_shard(host_id, shard) and scope.allows((host := fleet.hosts[host_id]).agency, site.id)
    ]
    current = []
    for host in shown:
        newest = live.hosts.get(host.id)
        if newest is not None and newest.is_current(now_ms):
            current.append((newest, host_labels(fleet, host)))
    yield up_text(fleet, shown, {newest.host for newest, _ in current})
    yield family("bongsu_host_state", host_states(fleet, standing, shown))
    yield family("bongsu_check_state", check_states(fleet, live, shown, now_ms))
    if shard[0] == 0:
        for chunk in agent_families(fleet, live, standing, site, now_ms):
            yield chunk
    async for chunk in host_text(current):
        yield chunk


def up_text(fleet: Fleet, hosts: list[HostEntry], current: set[str]) -> bytes:
    """``up`` for every host somebody is to report for, so that rules written for node_exporter see it go."""
    watched = [host for host in hosts if host.agent_id is not None]
    if not watched:
        return b""
    lines = [b"up{%s} %d\n" % (host_labels(fleet, host), host.id in current) for host in watched]
    return b"# HELP up 1 while the host's numbers are current, else 0.\n# TYPE up gauge\n" + b"".join(lines)


def host_states(fleet: Fleet, standing: Standing, hosts: list[HostEntry]) -> Iterator[Row]:
    for host in hosts:
        known = standing.hosts.get(host.id)
        if known is not None:
            yield (host.agency, fleet.sites[host.site].hub, host.site, host.id), known.state


def check_states(fleet: Fleet, live: Live, hosts: list[HostEntry], now_ms: int) -> Iterator[Row]:
    for host in hosts:
        newest = live.hosts.get(host.id)
        if newest is None or not newest.is_current(now_ms):
            continue
        for check, result in sorted(newest.checks.items()):
            yield (host.agency, fleet.sites[host.site].hub, host.site, host.id, check), result.state


def agent_families(fleet: Fleet, live: Live, standing: Standing, site: Site, now_ms: int) -> Iterator[bytes]:
    """What we know of a site's agents; an agent is named by the host it runs on."""
    rows: dict[str, list[Row]] = {
        "bongsu_agent_up": [],
        "bongsu_agent_last_report_timestamp_seconds": [],
        "bongsu_agent_clock_offset_seconds": [],
        "bongsu_agent_spool_reports": [],
        "bongsu_agent_spool_oldest_timestamp_seconds": [],
    }
    for agent_id in fleet.agents_by_site.get(site.id, ()):
        agent = fleet.agents[agent_id]
        if agent.status == "revoked":
            continue
        labels = (site.agency, site.hub, site.id, agent.host)
        known = standing.agents.get(agent_id)
        rows["bongsu_agent_up"].append((labels, 1 if known is not None and known.state == 0 else 0))
        heard = live.agents.get(agent_id)
        if heard is None:
            continue
        rows["bongsu_agent_last_report_timestamp_seconds"].append((labels, heard.received_at_ms / 1000))
        newest = live.hosts.get(agent.host)
        if newest is None or not newest.is_current(now_ms):
            continue
        rows["bongsu_agent_clock_offset_seconds"].append((labels, newest.offset_ms / 1000))
        for own, name in (
            ("agent_spool_records", "bongsu_agent_spool_reports"),
            ("agent_spool_oldest_timestamp_seconds", "bongsu_agent_spool_oldest_timestamp_seconds"),
        ):
            value = newest.value(own)
            if value is not None:
                rows[name].append((labels, value))
    for name, of_name in rows.items():
        yield family(name, of_name)
