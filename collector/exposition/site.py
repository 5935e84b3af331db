"""``/metrics/sites/{site}``: its hosts' own series, and what we say about its hosts, agents and checks."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from itertools import chain

from collector.exposition.hosts import host_text
from collector.exposition.text import Row, family_parts, host_labels
from collector.exposition.turns import Turns
from collector.fleet.registry import Agent, Fleet, HostEntry, Site
from collector.live.board import Live
from collector.store.scope import Scope
from collector.verdicts.standing import Standing

Shard = tuple[int, int]
"""(i, n): the i-th of n parts, i from 0."""
WHOLE: Shard = (0, 1)
HOSTS_TURN = 150
"""Hosts looked at before others get a turn: about half a millisecond."""


def parse_shard(text: str) -> Shard:
    """``i/n`` -> (i, n). Raises ValueError."""
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal()) or not 0 <= int(index) < int(count) <= 10_000:
        raise ValueError(f"shard {text!r}: expected i/n with 0 <= i < n, such as 0/4")
    return int(index), int(count)


def in_shard(host_id: str, shard: Shard) -> bool:
    return shard[1] == 1 or zlib.crc32(host_id.encode()) % shard[1] == shard[0]


async def site_text(
    fleet: Fleet,
    live: Live,
    standing: Standing,
    site: Site,
    scope: Scope,
    shard: Shard,
    now_ms: int,
    turns: Turns,
) -> AsyncIterator[bytes]:
    """The whole exposition of a site (or of one shard of it), in chunks."""
    shown = [
        host
        for host_id in fleet.hosts_by_site.get(site.id, ())
        if in_shard(host_id, shard) and scope.allows((host := fleet.hosts[host_id]).agency, site.id)
    ]
    current = []
    for part in batched(shown, HOSTS_TURN):
        for host in part:
            newest = live.hosts.get(host.id)
            if newest is not None and newest.is_current(now_ms):
                current.append((newest, host_labels(fleet, host)))
        await turns.over()
    chunks = chain(
        up_parts(fleet, shown, {newest.host for newest, _ in current}),
        family_parts("bongsu_host_state", host_states(fleet, standing, shown)),
        family_parts("bongsu_check_state", check_states(fleet, live, shown, now_ms)),
        agent_parts(fleet, live, standing, site, now_ms) if shard[0] == 0 else (),
    )
    for chunk in chunks:
        yield chunk
        await turns.over()
    async for chunk in host_text(current, turns):
        yield chunk


def batched(hosts: list[HostEntry], size: int) -> Iterator[list[HostEntry]]:
    return (hosts[start : start + size] for start in range(0, len(hosts), size))


def up_parts(fleet: Fleet, hosts: list[HostEntry], current: set[str]) -> Iterator[bytes]:
    """``up`` for every host somebody is to report for, so that rules written for node_exporter see it go."""
    head = b"# HELP up 1 while the host's numbers are current, else 0.\n# TYPE up gauge\n"
    for part in batched([host for host in hosts if host.agent_id is not None], HOSTS_TURN):
        yield head + b"".join(b"up{%s} %d\n" % (host_labels(fleet, host), host.id in current) for host in part)
        head = b""


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


def agent_parts(fleet: Fleet, live: Live, standing: Standing, site: Site, now_ms: int) -> Iterator[bytes]:
    """What we know of a site's agents; an agent is named by the host it runs on."""
    shown = [a for a in (fleet.agents[i] for i in fleet.agents_by_site.get(site.id, ())) if a.status != "revoked"]

    def labels(agent: Agent) -> tuple[str, ...]:
        return site.agency, site.hub, site.id, agent.host

    def is_up(agent: Agent) -> bool:
        known = standing.agents.get(agent.id)
        return known is not None and known.is_current

    def own(name: str) -> Iterator[Row | None]:
        """A number the agent tells about itself, while it is current."""
        for agent in shown:
            newest = live.hosts.get(agent.host)
            value = newest.value(name) if newest is not None and newest.is_current(now_ms) else None
            yield (labels(agent), value) if value is not None else None

    heard = ((labels(a), live.agents[a.id].received_at_ms / 1000) for a in shown if a.id in live.agents)
    offsets = ((labels(a), live.agents[a.id].offset_ms / 1000) for a in shown if is_up(a) and a.id in live.agents)
    yield from family_parts("bongsu_agent_up", ((labels(agent), is_up(agent)) for agent in shown))
    yield from family_parts("bongsu_agent_last_report_timestamp_seconds", heard)
    yield from family_parts("bongsu_agent_clock_offset_seconds", offsets)
    yield from family_parts("bongsu_agent_spool_reports", own("agent_spool_records"))
    oldest = own("agent_spool_oldest_timestamp_seconds")
    yield from family_parts("bongsu_agent_spool_oldest_timestamp_seconds", oldest)
