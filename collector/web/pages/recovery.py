"""``/systems?view=recovery``: the disaster board, to print or to hang up; what people say of a system that is out, and which
crisis alert level holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.guard import Leader, Writer
from collector.access.problems import not_found
from collector.agencies.api import Level, NewCrisis, set_level
from collector.agencies.crisis import LEVELS, NOTE_CHARS, crisis_past
from collector.agencies.outage_notes import WORKAROUND_CHARS, OutageNote, notes_of, put_note
from collector.agencies.queries import find_system
from collector.errors import Refused, UsageError
from collector.rosters.instants import read_instant
from collector.store.schema import instant
from collector.web import systems_view
from collector.web.recovery_view import lacking
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services

KOREA = "Asia/Seoul"
BOARD = "/systems?view=recovery"
SHOWN_PAST = 10


def recovery(request: Request, services: Services, caller: Caller, lines: list[systems_view.SystemLine]) -> Response:
    """The board of these systems: all that the caller may see."""
    frame = frame_of(request, services)
    with services.store.reading() as connection:
        notes = notes_of(connection, [line.system.id for line in lines])
        past = crisis_past(connection, SHOWN_PAST)
    values = {
        "grades": systems_view.grade_lines(lines),
        "lacking": lacking(lines, notes, instant(frame.now_ms)),
        "may_note": caller.may("work") and not services.is_hub,
        "may_declare": caller.may("lead") and not services.is_hub,
        "crisis": past[0] if past else None,
        "past": past[1:],
        "levels": LEVELS,
        "ms": lambda at: int(at.timestamp() * 1000),
    }
    return page(request, services, "recovery.html", values, frame=frame)


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.post("/systems/crisis-level", response_model=None)
    def crisis(
        caller: Leader,
        level: Annotated[Level, Form()],
        note: Annotated[str, Form(max_length=NOTE_CHARS)] = "",
    ) -> Response:
        set_level(services, caller, NewCrisis(level=level, note=note))
        return RedirectResponse(BOARD, 303)

    @routes.post("/systems/{system_id}/outage", response_model=None)
    def note(
        caller: Writer,
        system_id: str,
        workaround: Annotated[str, Form(max_length=WORKAROUND_CHARS)] = "",
        expected: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:
        if services.is_hub:
            raise Refused(409, "hub", "This is written at the centre, not at a hub.")
        try:
            expected_at = read_instant(expected, KOREA) if expected.strip() else None
        except UsageError as why:
            raise Refused(422, "bad_time", str(why)) from why
        now = instant(services.clock.wall_ms())
        with services.store.transaction() as connection:
            if find_system(connection, caller.scope, system_id) is None:
                raise not_found("system", system_id)
            put_note(connection, OutageNote(system_id, workaround.strip(), expected_at, now, caller.name))
            told = {"workaround": workaround.strip(), "expected_at": expected_at}
            record(connection, now, caller.name, "system.outage_note", system_id, told)
        return RedirectResponse(f"/systems/{quote(system_id)}", 303)

    return routes
