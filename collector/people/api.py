"""``/api/people`` and ``/api/teams``: who there is. Addresses only for who may reach them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from collector.access.caller import Caller
from collector.access.guard import Reader
from collector.access.paging import After, Limit, Page, page
from collector.people.person import Person
from collector.people.queries import list_people, list_teams, may_reach, note_view
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services


class ContactOut(BaseModel):
    """An address; ``verified_at`` null = nobody proved yet that it reaches the person."""

    model_config = ConfigDict(from_attributes=True)
    channel: str
    address: str
    verified_at: datetime | None


class PersonOut(BaseModel):
    """A person who may be on duty. ``contacts``, ``quiet_hours`` and ``login`` are null where the caller may not know."""

    id: str
    name_ko: str
    name_en: str
    agency: str
    languages: list[str]
    timezone: str
    login: str | None
    quiet_hours: str | None
    contacts: list[ContactOut] | None


class TeamOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: str
    name_ko: str
    name_en: str
    agency: str
    members: list[str]


def router(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["people"])
    store = services.store

    @routes.get("/people")
    def people(caller: Reader, after: After = "", limit: Limit = 100) -> Page[PersonOut]:
        """People by id."""
        with store.reading() as connection:
            rows = list_people(connection, caller.scope, after, limit + 1)
        shown = [row for row in rows[:limit] if may_reach(caller, row)]
        if shown:
            with store.transaction() as connection:
                note_view(connection, instant(services.clock.wall_ms()), caller, shown, "/api/people")
        return page([person_out(caller, row) for row in rows], [row.id for row in rows], limit)

    @routes.get("/teams")
    def teams(caller: Reader, after: After = "", limit: Limit = 100) -> Page[TeamOut]:
        """Teams by id."""
        with store.reading() as connection:
            rows = list_teams(connection, caller.scope, after, limit + 1)
        return page([TeamOut.model_validate(row) for row in rows], [row.id for row in rows], limit)

    return routes


def person_out(caller: Caller, person: Person) -> PersonOut:
    is_known = may_reach(caller, person)
    return PersonOut(
        id=person.id,
        name_ko=person.name_ko,
        name_en=person.name_en,
        agency=person.agency,
        languages=list(person.languages),
        timezone=person.timezone,
        login=person.login if is_known else None,
        quiet_hours=person.quiet_hours if is_known else None,
        contacts=[ContactOut.model_validate(each) for each in person.contacts] if is_known else None,
    )
