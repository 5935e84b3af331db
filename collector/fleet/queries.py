"""Hubs, sites, hosts and agents as a caller may see them.

A site is seen by the agency that operates it, a host and its agent by the agency that owns the host; a hub by whoever
sees a site behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, true

from collector.fleet.registry import INTERVAL_SECONDS
from collector.fleet.tables import agent_policies, agents, hosts, hubs, sites
from collector.store.scope import EVERYTHING, Scope


@dataclass(frozen=True, slots=True)
class HubRow:
    """``url`` empty = join tokens of its sites name the centre alone."""

    id: str
    name_ko: str
    name_en: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class SiteRow:
    """``hub`` empty = reports to the centre directly."""

    id: str
    agency: str
    hub: str
    name_ko: str
    name_en: str
    latitude: float | None
    longitude: float | None
    timezone: str
    link_profile: str
    interval_seconds: int


@dataclass(frozen=True, slots=True)
class HostRow:
    """``agent`` speaks for it now, None = nobody; ``via`` = the host whose agent is to, for agentless targets."""

    id: str
    name: str
    site: str
    agency: str
    shared: bool
    role: str
    managed_by: str
    agent: str | None
    via: str


@dataclass(frozen=True, slots=True)
class AgentRow:
    """``id`` in hex; ``hosts``: host ids it may speak for, as far as the caller sees them."""

    id: str
    site: str
    host: str
    status: str
    enrolled_at: datetime
    status_at: datetime
    hosts: tuple[str, ...]


def list_hubs(connection: Connection, scope: Scope, after: str = "", limit: int = 1_000) -> list[HubRow]:
    rows = connection.execute(
        select(hubs).where(_hub_is_seen(scope), hubs.c.id > after).order_by(hubs.c.id).limit(limit)
    )
    return [HubRow(row.id, row.name_ko, row.name_en, row.url) for row in rows]


def find_hub(connection: Connection, scope: Scope, hub: str) -> HubRow | None:
    row = connection.execute(select(hubs).where(_hub_is_seen(scope), hubs.c.id == hub)).first()
    return None if row is None else HubRow(row.id, row.name_ko, row.name_en, row.url)


def list_sites(connection: Connection, scope: Scope, after: str = "", limit: int = 1_000) -> list[SiteRow]:
    seen = scope.where(sites.c.agency, sites.c.id)
    rows = connection.execute(select(sites).where(seen, sites.c.id > after).order_by(sites.c.id).limit(limit))
    return [_site(row) for row in rows]


def find_site(connection: Connection, scope: Scope, site: str) -> SiteRow | None:
    row = connection.execute(select(sites).where(scope.where(sites.c.agency, sites.c.id), sites.c.id == site)).first()
    return None if row is None else _site(row)


def list_hosts(
    connection: Connection, scope: Scope, after: str = "", limit: int = 1_000, *, site: str = ""
) -> list[HostRow]:
    """Hosts by id; of one site where ``site`` is given."""
    at_site = hosts.c.site == site if site else true()
    seen = scope.where(hosts.c.agency, hosts.c.site)
    rows = connection.execute(select(hosts).where(seen, at_site, hosts.c.id > after).order_by(hosts.c.id).limit(limit))
    return [_host(row) for row in rows]


def find_host(connection: Connection, scope: Scope, host: str) -> HostRow | None:
    row = connection.execute(select(hosts).where(scope.where(hosts.c.agency, hosts.c.site), hosts.c.id == host)).first()
    return None if row is None else _host(row)


def list_agents(connection: Connection, scope: Scope, after: str = "", limit: int = 1_000) -> list[AgentRow]:
    """Agents by id; ``after`` is a whole id in hex. An ``after`` that is none begins at the start."""
    try:
        behind = agents.c.id > bytes.fromhex(after)
    except ValueError:
        behind = true()
    return _agents(connection, scope, _agents_seen(scope).where(behind).order_by(agents.c.id).limit(limit))


def find_agent(connection: Connection, scope: Scope, agent: str) -> AgentRow | None:
    """By its id in hex."""
    try:
        agent_id = bytes.fromhex(agent)
    except ValueError:
        return None
    found = _agents(connection, scope, _agents_seen(scope).where(agents.c.id == agent_id))
    return found[0] if found else None


def find_signed_policy(connection: Connection, agent_id: bytes) -> bytes | None:
    """An agent's newest policy as the centre signed it (``agent.link.policy``); None where there is none."""
    found: bytes | None = connection.execute(
        select(agent_policies.c.packed).where(agent_policies.c.agent_id == agent_id)
    ).scalar()
    return found


def _hub_is_seen(scope: Scope) -> ColumnElement[bool]:
    if scope == EVERYTHING:
        return true()
    return hubs.c.id.in_(select(sites.c.hub).where(scope.where(sites.c.agency, sites.c.id), sites.c.hub.is_not(None)))


def _agents_seen(scope: Scope) -> Select[Any]:
    # A host row may be gone while its revoked agent's stays: then the site's agency decides.
    owner = func.coalesce(hosts.c.agency, sites.c.agency)
    return (
        select(agents)
        .join(sites, sites.c.id == agents.c.site)
        .outerjoin(hosts, hosts.c.id == agents.c.host)
        .where(scope.where(owner, agents.c.site))
    )


def _agents(connection: Connection, scope: Scope, which: Select[Any]) -> list[AgentRow]:
    rows = connection.execute(which).all()
    bound: dict[bytes, list[str]] = {}
    of_these = hosts.c.agent_id.in_([row.id for row in rows])
    seen = scope.where(hosts.c.agency, hosts.c.site)
    for host in connection.execute(select(hosts.c.id, hosts.c.agent_id).where(of_these, seen).order_by(hosts.c.id)):
        bound.setdefault(host.agent_id, []).append(host.id)
    return [
        AgentRow(
            row.id.hex(), row.site, row.host, row.status, row.enrolled_at, row.status_at, tuple(bound.get(row.id, ()))
        )
        for row in rows
    ]


def _site(row: Row[Any]) -> SiteRow:
    return SiteRow(
        row.id,
        row.agency,
        row.hub or "",
        row.name_ko,
        row.name_en,
        row.latitude,
        row.longitude,
        row.timezone,
        row.link_profile,
        INTERVAL_SECONDS[row.link_profile],
    )


def _host(row: Row[Any]) -> HostRow:
    agent = None if row.agent_id is None else row.agent_id.hex()
    return HostRow(row.id, row.name, row.site, row.agency, row.is_shared, row.role, row.managed_by, agent, row.via)
