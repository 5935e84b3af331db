"""``/api/rosters``: who is on duty, and what is changed by the day."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from collector.access.guard import Leader, Reader, Writer
from collector.access.problems import not_found
from collector.errors import Refused, UsageError
from collector.people.queries import may_reach
from collector.rosters.answer import answer_rows
from collector.rosters.asked import NOTE_CHARS, known, now_of, take_cancel, take_handover, take_override, to_change
from collector.rosters.duty import answer, holes
from collector.rosters.instants import read_instant
from collector.rosters.queries import list_handovers, receive_handover
from collector.rosters.roster import Roster
from collector.rosters.shifts import shifts

if TYPE_CHECKING:
    from collector.services import Services

USUAL = timedelta(days=14)
LONGEST = timedelta(days=100)


class OverrideIn(BaseModel):
    """Both people: a substitution. Only ``out``: an absence. Only ``instead``: somebody more. Times with an offset, or by
    the roster's clock."""

    began: str = Field(max_length=40)
    ended: str = Field(max_length=40)
    out: str = Field("", max_length=64)
    instead: str = Field("", max_length=64)
    layer: str = Field("", max_length=64)
    reason: str = Field("", max_length=200)


class NoteIn(BaseModel):
    note: str = Field(min_length=1, max_length=NOTE_CHARS)


class Made(BaseModel):
    id: int


def router(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["rosters"])

    @routes.get("/rosters")
    def rosters(caller: Reader) -> dict[str, Any]:
        """Every roster the caller may see, with who is on duty now."""
        found, now = known(services, caller), now_of(services)
        rows = answer_rows(
            [answer(roster, found.ground, now) for roster in found.rosters],
            found.book.people,
            now,
            partial(may_reach, caller),
        )
        return {"at": now, "items": rows}

    @routes.get("/rosters/{roster}")
    def one_roster(
        caller: Reader,
        roster: str,
        began: Annotated[str, Query(alias="from", max_length=40)] = "",
        to: Annotated[str, Query(max_length=40)] = "",
    ) -> dict[str, Any]:
        """Shifts, holes and overrides of a span, the coming fourteen days as a rule; 100 days at most."""
        found = known(services, caller)
        one = found.find(roster)
        from_at = instant_of(began, one.timezone) if began else now_of(services)
        to_at = instant_of(to, one.timezone) if to else from_at + USUAL
        if not from_at < to_at <= from_at + LONGEST:
            raise Refused(422, "bad_span", f"from before to, and {LONGEST.days} days at most")
        return {
            "id": one.id,
            "name_ko": one.name_ko,
            "name_en": one.name_en,
            "agency": one.agency,
            "agencies": one.agencies,
            "sites": one.sites,
            "timezone": one.timezone,
            "cover": one.cover,
            "fallback": one.fallback,
            "layers": [layer.name for layer in one.layers],
            "shifts": [shift._asdict() for shift in shifts(one, found.ground, from_at, to_at)],
            "holes": [{"began_at": b, "ended_at": e} for b, e in holes(one, found.ground, from_at, to_at)],
            "overrides": overrides_of(one, from_at, to_at),
        }

    @routes.post("/rosters/{roster}/overrides", status_code=201)
    def add(caller: Leader, roster: str, body: OverrideIn) -> Made:
        """Put somebody in somebody's place, note an absence, or add somebody, for a while."""
        return Made(id=take_override(services, caller, roster, **body.model_dump()))

    @routes.delete("/rosters/{roster}/overrides/{number}", status_code=204)
    def cancel(caller: Leader, roster: str, number: int) -> None:
        take_cancel(services, caller, roster, number)

    @routes.get("/rosters/{roster}/handovers")
    def handovers(caller: Reader, roster: str) -> dict[str, Any]:
        """The newest hand-over notes (인수인계)."""
        one = known(services, caller).find(roster)
        with services.store.reading() as connection:
            return {"items": list_handovers(connection, one.id)}

    @routes.post("/rosters/{roster}/handovers", status_code=201)
    def write(caller: Writer, roster: str, body: NoteIn) -> Made:
        """Write to the next shift; what is failing now is kept with it."""
        return Made(id=take_handover(services, caller, roster, body.note))

    @routes.post("/rosters/{roster}/handovers/{number}/received", status_code=204)
    def receive(caller: Writer, roster: str, number: int) -> None:
        """Say that it was read and taken over."""
        to_change(services, caller, roster)
        with services.store.transaction() as connection:
            if not receive_handover(connection, roster, number, caller.name, now_of(services)):
                raise not_found("hand-over note to be received", str(number))

    return routes


def overrides_of(roster: Roster, from_at: datetime, to_at: datetime) -> list[dict[str, Any]]:
    return [each._asdict() for each in roster.overrides if each.began_at < to_at and each.ended_at > from_at]


def instant_of(text: str, zone: str) -> datetime:
    """Raises Refused 422."""
    try:
        return read_instant(text, zone)
    except UsageError as why:
        raise Refused(422, "bad_time", str(why)) from why
