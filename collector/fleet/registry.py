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
from collector.agencies.tables import agencies, interfaces, system_hosts, systems
from collector.fleet.paths import ALL, Group, Interface, Link, Probe, SiteCalendar
from collector.fleet.tables import (
    agent_keys,
    agent_policies,
    agents,
    fleet_version,
    hosts,
    hubs,
    links,
    policies,
    probes,
    sites,
)
from collector.store.engine import Store, straight

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
    """Every host it stands on, by whatever group."""
    groups: tuple[Group, ...] = ()
    depends_on: tuple[str, ...] = ()
    """Systems without which it is down."""
    uses: tuple[str, ...] = ()
    """Systems without which it is degraded."""


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
    facility: str = ""
    behind: tuple[str, ...] = ()
    """Shared devices it is reached through: host ids."""
    is_collector: bool = False
    """Whether this collector stands here."""
    calendar: SiteCalendar = field(default_factory=SiteCalendar)
    is_custodian: bool = False
    """Whether its hub stands here and keeps a copy of the whole registry."""

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
    behind: tuple[str, ...] = ()
    managed_by: str = "file"


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
    links: Mapping[str, Link] = field(default_factory=dict)
    probes: tuple[Probe, ...] = ()
    probe_of: Mapping[tuple[str, str], Probe] = field(default_factory=dict)
    """The same by (host that looks, target)."""
    interfaces: Mapping[str, Interface] = field(default_factory=dict)

    @property
    def custodians(self) -> frozenset[str]:
        """Hubs that are to keep a copy of the whole registry."""
        return frozenset(site.hub for site in self.sites.values() if site.is_custodian and site.hub)


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
        row = straight(connection, f"SELECT version FROM {fleet_version.name}").fetchone()  # noqa: S608 -- our own name
        version = row[0] if row is not None else 0
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
            row.id,
            row.name,
            row.site,
            row.agency,
            row.is_shared,
            row.role,
            row.agent_id,
            frozenset(row.tags),
            row.behind,
            row.managed_by,
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
    looked = tuple(_probe(row) for row in connection.execute(select(probes).order_by(probes.c.id)))
    return Fleet(
        version=version,
        agencies={r.id: Named(r.id, r.name_ko, r.name_en) for r in connection.execute(select(agencies))},
        systems={r.id: _system(r, tuple(sorted(on_hosts.get(r.id, ())))) for r in connection.execute(select(systems))},
        hubs={r.id: Named(r.id, r.name_ko, r.name_en) for r in connection.execute(select(hubs))},
        sites={r.id: _site(r) for r in connection.execute(select(sites).order_by(sites.c.id))},
        hosts=host_rows,
        agents=agent_rows,
        hosts_by_site={site: tuple(ids) for site, ids in hosts_by_site.items()},
        agents_by_site={site: tuple(ids) for site, ids in agents_by_site.items()},
        policies=tuple(_rule(row) for row in connection.execute(select(policies).order_by(policies.c.position))),
        links={row["id"]: Link(**row) for row in connection.execute(select(links).order_by(links.c.id)).mappings()},
        probes=looked,
        probe_of={(probe.host, probe.target): probe for probe in looked},
        interfaces={r["id"]: Interface(**r) for r in connection.execute(select(interfaces)).mappings()},
    )


def _system(row: Any, on_hosts: tuple[str, ...]) -> System:
    groups = tuple(Group(group["name"], group["rule"], group["members"]) for group in row.groups)
    if not groups and on_hosts:  # from before there were groups
        groups = (Group("hosts", ALL, on_hosts),)
    return System(row.id, row.agency, row.name_ko, row.name_en, row.grade, on_hosts, groups, row.depends_on, row.uses)


def _site(row: Any) -> Site:
    calendar = SiteCalendar(
        row.country, row.subdivision, row.weekend, row.korean_days, row.closures, row.business_hours
    )
    return Site(
        row.id,
        row.agency,
        row.hub or "",
        row.name_ko,
        row.name_en,
        row.latitude,
        row.longitude,
        row.timezone,
        row.link_profile,
        frozenset(row.tags),
        row.facility,
        row.behind,
        row.is_collector,
        calendar,
        row.is_custodian,
    )


def _probe(row: Any) -> Probe:
    return Probe(row.host, row.target, row.site, row.link, row.hub, row.of_host, row.is_anchor)


def _rule(row: Any) -> PolicyRule:
    wishes = (row.link_profile, row.interval_seconds, row.checks, row.processes, row.probes)
    return PolicyRule(row.id, row.sites, row.roles, row.tags, *wishes)


def _hint(packed: bytes) -> str:
    try:
        return policy_hint(packed)
    except PolicyError:  # the database was damaged: nobody is told of a policy nobody could open
        return ""
