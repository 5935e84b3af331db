"""``/api/agencies``, ``/api/systems`` and ``/api/crisis``, the crisis alert level."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.guard import Leader, Reader
from collector.access.paging import After, Limit, Page, page
from collector.access.problems import not_found
from collector.agencies.crisis import NOTE_CHARS, CrisisLevel, crisis_past, declare
from collector.agencies.queries import SystemRow, find_agency, find_system, list_agencies, list_systems
from collector.errors import Refused
from collector.store.schema import instant

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


Level = Literal["none", "attention", "caution", "alert", "serious"]


class NewCrisis(BaseModel):
    """The crisis alert level (위기경보: 관심, 주의, 경계, 심각) an authority declared."""

    model_config = ConfigDict(extra="forbid")
    level: Level
    note: str = Field("", max_length=NOTE_CHARS, description="By whose notice, and of what.")


class Crisis(BaseModel):
    """``since`` and ``by`` are null where none was ever declared."""

    level: Level
    since: datetime | None = None
    by: str | None = None
    note: str = ""


def set_level(services: Services, caller: Caller, wanted: NewCrisis) -> CrisisLevel:
    """What holds from now on. Raises Refused at a hub: it is declared once, at the centre."""
    if services.is_hub:
        raise Refused(409, "hub", "The crisis alert level is set at the centre, not at a hub.")
    now = instant(services.clock.wall_ms())
    declared = CrisisLevel(wanted.level, now, caller.name, wanted.note.strip())
    with services.store.transaction() as connection:
        before = crisis_past(connection, 1)
        if before and before[0].level == declared.level and before[0].note == declared.note:
            return before[0]
        declare(connection, declared)
        told = {"level": declared.level, "before": before[0].level if before else "none", "note": declared.note}
        record(connection, now, caller.name, "crisis.set", declared.level, told)
    return declared


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

    @routes.get("/crisis", tags=["crisis"])
    def crisis(caller: Reader) -> Crisis:  # noqa: ARG001 - who asks sees the same
        """The crisis alert level that holds now."""
        with store.reading() as connection:
            found = crisis_past(connection, 1)
        return Crisis.model_validate(found[0]._asdict()) if found else Crisis(level="none")

    @routes.put("/crisis", tags=["crisis"])
    def set_crisis(caller: Leader, wanted: NewCrisis) -> Crisis:
        """Say which crisis alert level holds from now on; `none` lifts it. Needs the right `lead`."""
        return Crisis.model_validate(set_level(services, caller, wanted)._asdict())

    return routes


def _system(services: Services, row: SystemRow) -> System:
    system = System.model_validate(row)
    found = services.standing.systems.get(row.id) if services.standing is not None else None
    if found is not None:
        system.state, system.since_ms, system.reason, system.cause = found[:4]
    return system
