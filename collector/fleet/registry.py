"""The fleet in memory: what intake, exposition, verdicts and pages look things up in, without a query.

A ``Fleet`` is one consistent snapshot. ``Registry`` holds the newest and swaps it whole when ``fleet_version`` moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from agent.link.policy import PolicyError, policy_hint
from agent.link.profile import PROFILES
from collector.agencies.tables import agencies, system_hosts, systems
from collector.fleet.tables import agent_keys, agent_policies, agents, fleet_version, hosts, hubs, policies, sites
from collector.store.engine import Store

INTERVAL_SECONDS = {profile.name: round(profile.interval_seconds) for profile in PROFILES.values()}


@dataclass(frozen=True, slots=True)
class Named:
    """An agency or a hub."""

    id: str
    name_ko: str
    name_en: str


@dataclass(frozen=True, slots=True)
class System:
    id: str
    agency: str
    name_ko: str
    name_en: str
    grade: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    agency: str
    hub: str
    """Empty where the site reports to the centre directly."""
    name_ko: str
    name_en: str
    latitude: float | None
    longitude: float | None
    timezone: str
    link_profile: str
    tags: frozenset[str] = frozenset()

    @property
    def interval_seconds(self) -> int:
        return INTERVAL_SECONDS[self.link_profile]


@dataclass(frozen=True, slots=True)
class HostEntry:
    id: str
    name: str
    site: str
    agency: str
    is_shared: bool
    role: str
    agent_id: bytes | None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Agent:
    id: bytes
    site: str
    host: str
    status: str
    keys: Mapping[int, bytes]
    """Public keys by key number."""
    hosts: frozenset[str]
    """Host ids it may speak for."""
    policy: tuple[int, str] = (0, "")
    """Version and hint of its newest signed policy; (0, "") where there is none."""


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One ``[[policies]]`` table: whom it is for, and what it says. None = every one, nothing."""

    id: str
    sites: tuple[str, ...] | None
    roles: tuple[str, ...] | None
    tags: tuple[str, ...] | None
    link_profile: str | None
    interval_seconds: int | None
    checks: Mapping[str, tuple[str, ...]] | None
    processes: tuple[Mapping[str, Any], ...] | None
    probes: tuple[Mapping[str, Any], ...] | None


@dataclass(frozen=True, slots=True)
class Fleet:
    version: int = -1
    agencies: Mapping[str, Named] = field(default_factory=dict)
    systems: Mapping[str, System] = field(default_factory=dict)
    hubs: Mapping[str, Named] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    hosts: Mapping[str, HostEntry] = field(default_factory=dict)
    agents: Mapping[bytes, Agent] = field(default_factory=dict)
    hosts_by_site: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    agents_by_site: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    policies: tuple[PolicyRule, ...] = ()
    """In the order of the file."""


class Registry:
    """The newest ``Fleet``. ``refresh`` is cheap when nothing changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fleet = Fleet()

    def refresh(self, connection: Connection | None = None) -> bool:
        """Read the fleet anew where its version moved; whether it did."""
        if connection is not None:
            return self._refresh(connection)
        with self._store.reading() as own:
            return self._refresh(own)

    def _refresh(self, connection: Connection) -> bool:
        # As text for the driver: every commit of the log asks this, and an expression takes three times as long.
        version = connection.exec_driver_sql(f"SELECT version FROM {fleet_version.name}").scalar() or 0  # noqa: S608
        if version == self.fleet.version:
            return False
        self.fleet = read_fleet(connection, version)
        return True


def bump_version(connection: Connection) -> None:
    """Tell every process that the fleet changed; call inside the transaction that changes it."""
    connection.execute(update(fleet_version).values(version=fleet_version.c.version + 1))


def read_fleet(connection: Connection, version: int) -> Fleet:
    on_hosts: dict[str, list[str]] = {}
    for row in connection.execute(select(system_hosts)):
        on_hosts.setdefault(row.system, []).append(row.host)
    keys: dict[bytes, dict[int, bytes]] = {}
    for row in connection.execute(select(agent_keys)):
        keys.setdefault(row.agent_id, {})[row.key_no] = row.public_key
    host_rows = {
        row.id: HostEntry(
            row.id, row.name, row.site, row.agency, row.is_shared, row.role, row.agent_id, frozenset(row.tags)
        )
        for row in connection.execute(select(hosts).order_by(hosts.c.id))
    }
    bound: dict[bytes, list[str]] = {}
    hosts_by_site: dict[str, list[str]] = {}
    for host in host_rows.values():
        hosts_by_site.setdefault(host.site, []).append(host.id)
        if host.agent_id is not None:
            bound.setdefault(host.agent_id, []).append(host.id)
    signed = {row.agent_id: (row.version, _hint(row.packed)) for row in connection.execute(select(agent_policies))}
    agent_rows = {
        row.id: Agent(
            row.id,
            row.site,
            row.host,
            row.status,
            keys.get(row.id, {}),
            frozenset(bound.get(row.id, ())),
            signed.get(row.id, (0, "")),
        )
        for row in connection.execute(select(agents).order_by(agents.c.enrolled_at))
    }
    agents_by_site: dict[str, list[bytes]] = {}
    for agent in agent_rows.values():
        agents_by_site.setdefault(agent.site, []).append(agent.id)
    return Fleet(
        version=version,
        agencies={r.id: Named(r.id, r.name_ko, r.name_en) for r in connection.execute(select(agencies))},
        systems={
            r.id: System(r.id, r.agency, r.name_ko, r.name_en, r.grade, tuple(on_hosts.get(r.id, ())))
            for r in connection.execute(select(systems))
        },
        hubs={r.id: Named(r.id, r.name_ko, r.name_en) for r in connection.execute(select(hubs))},
        sites={
            r.id: Site(
                r.id,
                r.agency,
                r.hub or "",
                r.name_ko,
                r.name_en,
                r.latitude,
                r.longitude,
                r.timezone,
                r.link_profile,
                frozenset(r.tags),
            )
            for r in connection.execute(select(sites).order_by(sites.c.id))
        },
        hosts=host_rows,
        agents=agent_rows,
        hosts_by_site={site: tuple(ids) for site, ids in hosts_by_site.items()},
        agents_by_site={site: tuple(ids) for site, ids in agents_by_site.items()},
        policies=tuple(_rule(row) for row in connection.execute(select(policies).order_by(policies.c.position))),
    )


def _rule(row: Any) -> PolicyRule:
    wishes = (row.link_profile, row.interval_seconds, row.checks, row.processes, row.probes)
    return PolicyRule(row.id, row.sites, row.roles, row.tags, *wishes)


def _hint(packed: bytes) -> str:
    try:
        return policy_hint(packed)
    except PolicyError:  # the database was damaged: nobody is told of a policy nobody could open
        return ""
