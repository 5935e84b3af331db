"""``/api/agencies`` and ``/api/systems``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from collector.access.guard import Reader
from collector.access.paging import After, Limit, Page, page
from collector.access.problems import not_found
from collector.agencies.queries import SystemRow, find_agency, find_system, list_agencies, list_systems

if TYPE_CHECKING:
    from collector.services import Services


class Agency(BaseModel):
    """An agency (입주기관)."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    name_ko: str
    name_en: str


class System(BaseModel):
    """An information system (정보시스템); grade 1 is the most important. ``hosts``: those the caller may see."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    agency: str
    name_ko: str
    name_en: str
    grade: int
    hosts: list[str]
    state: int | None = None
    """0 ok, 1 maintenance, 2 no data, 3 degraded, 4 down; null = not judged yet. Evidence: /api/verdicts/system/ID."""
    since_ms: int | None = None
    reason: str = ""
    cause: str = ""


def router(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/api")
    store = services.store

    @routes.get("/agencies", tags=["agencies"])
    def agencies(caller: Reader, after: After = "", limit: Limit = 100) -> Page[Agency]:
        """Agencies by id."""
        with store.reading() as connection:
            rows = list_agencies(connection, caller.scope, after, limit + 1)
        return page([Agency.model_validate(row) for row in rows], [row.id for row in rows], limit)

    @routes.get("/agencies/{agency}", tags=["agencies"])
    def one_agency(caller: Reader, agency: str) -> Agency:
        with store.reading() as connection:
            row = find_agency(connection, caller.scope, agency)
        if row is None:
            raise not_found("agency", agency)
        return Agency.model_validate(row)

    @routes.get("/systems", tags=["systems"])
    def systems(caller: Reader, after: After = "", limit: Limit = 100) -> Page[System]:
        """Information systems by id."""
        with store.reading() as connection:
            rows = list_systems(connection, caller.scope, after, limit + 1)
        return page([_system(services, row) for row in rows], [row.id for row in rows], limit)

    @routes.get("/systems/{system}", tags=["systems"])
    def one_system(caller: Reader, system: str) -> System:
        with store.reading() as connection:
            row = find_system(connection, caller.scope, system)
        if row is None:
            raise not_found("system", system)
        return _system(services, row)

    return routes


def _system(services: Services, row: SystemRow) -> System:
    system = System.model_validate(row)
    found = services.standing.systems.get(row.id) if services.standing is not None else None
    if found is not None:
        system.state, system.since_ms, system.reason, system.cause = found[:4]
    return system
