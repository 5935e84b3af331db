"""``/systems?view=recovery``: the disaster board, to print or to hang up; and what people say of a system that is out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.guard import Writer
from collector.access.problems import not_found
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


def recovery(request: Request, services: Services, caller: Caller, lines: list[systems_view.SystemLine]) -> Response:
    """The board of these systems: all that the caller may see."""
    frame = frame_of(request, services)
    with services.store.reading() as connection:
        notes = notes_of(connection, [line.system.id for line in lines])
    values = {
        "grades": systems_view.grade_lines(lines),
        "lacking": lacking(lines, notes, instant(frame.now_ms)),
        "may_note": caller.may("work") and not services.is_hub,
    }
    return page(request, services, "recovery.html", values, frame=frame)


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

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
