"""Agencies and systems as a caller may see them.

An agency is the caller's where the agency is, or, for callers limited to sites, where it owns something there. A system
is seen by its agency, and by callers limited to sites where it stands on a host there; of its hosts only those seen.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, select

from collector.agencies.tables import agencies, system_hosts, systems
from collector.fleet.tables import hosts, sites
from collector.store.scope import Scope


@dataclass(frozen=True, slots=True)
class AgencyRow:
    id: str
    name_ko: str
    name_en: str


@dataclass(frozen=True, slots=True)
class SystemRow:
    id: str
    agency: str
    name_ko: str
    name_en: str
    grade: int
    hosts: tuple[str, ...]


def list_agencies(connection: Connection, scope: Scope, after: str = "", limit: int = 1_000) -> list[AgencyRow]:
    rows = connection.execute(
        select(agencies).where(_agency_is_seen(scope), agencies.c.id > after).order_by(agencies.c.id).limit(limit)
    )
    return [AgencyRow(row.id, row.name_ko, row.name_en) for row in rows]


def find_agency(connection: Connection, scope: Scope, agency: str) -> AgencyRow | None:
    row = connection.execute(select(agencies).where(_agency_is_seen(scope), agencies.c.id == agency)).first()
    return None if row is None else AgencyRow(row.id, row.name_ko, row.name_en)


def list_systems(connection: Connection, scope: Scope, after: str = "", limit: int = 1_000) -> list[SystemRow]:
    return _systems(connection, scope, systems.c.id > after, limit)


def find_system(connection: Connection, scope: Scope, system: str) -> SystemRow | None:
    found = _systems(connection, scope, systems.c.id == system, 1)
    return found[0] if found else None


def _agency_is_seen(scope: Scope) -> ColumnElement[bool]:
    if scope.sites is None:
        return scope.where(agencies.c.id)
    owning = select(hosts.c.agency).where(scope.where(hosts.c.agency, hosts.c.site))
    operating = select(sites.c.agency).where(scope.where(sites.c.agency, sites.c.id))
    return agencies.c.id.in_(owning.union(operating))


def _systems(connection: Connection, scope: Scope, which: ColumnElement[bool], limit: int) -> list[SystemRow]:
    by_agency = Scope(scope.agencies).where(systems.c.agency)
    if scope.sites is not None:
        there = select(system_hosts.c.system).join(hosts).where(hosts.c.site.in_(scope.sites))
        by_agency = and_(by_agency, systems.c.id.in_(there))
    rows = connection.execute(select(systems).where(by_agency, which).order_by(systems.c.id).limit(limit)).all()
    on_hosts: dict[str, list[str]] = {}
    links = (
        select(system_hosts)
        .join(hosts)
        .where(system_hosts.c.system.in_([row.id for row in rows]), scope.where(hosts.c.agency, hosts.c.site))
        .order_by(system_hosts.c.host)
    )
    for link in connection.execute(links):
        on_hosts.setdefault(link.system, []).append(link.host)
    return [
        SystemRow(row.id, row.agency, row.name_ko, row.name_en, row.grade, tuple(on_hosts.get(row.id, ())))
        for row in rows
    ]
