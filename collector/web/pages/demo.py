"""``/demo``: the disasters of a demonstration, to be played by a button. Nowhere but in one: without its list there is no such
page.

The demonstration's directory lies around its centre's: ``scenarios.json`` says what can be played, and a file in ``plays``,
named by the number, asks for it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.audit import record
from collector.access.guard import Reader, Writer
from collector.access.problems import not_found
from collector.store.schema import instant
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services

LIST = "scenarios.json"
PLAYS = "plays"


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    folder = services.settings.data_dir.parent

    @routes.get("/demo")
    def demo(request: Request, caller: Reader, played: int = 0) -> Response:
        values = {"scenarios": scenarios(folder), "played": played, "may_play": caller.may("work")}
        return page(request, services, "demo.html", values, frame=frame_of(request, services))

    @routes.post("/demo/{number}", response_model=None)
    def play(caller: Writer, number: int) -> Response:
        if number not in {one["number"] for one in scenarios(folder)}:
            raise not_found("scenario", str(number))
        (folder / PLAYS / str(number)).touch()
        with services.store.transaction() as connection:
            now = instant(services.clock.wall_ms())
            record(connection, now, caller.name, "demo.play", str(number))
        return RedirectResponse(f"/demo?played={number}", 303)

    return routes


def scenarios(folder: Path) -> list[dict[str, Any]]:
    """What can be played. Raises Refused 404 where this is no demonstration."""
    try:
        found: list[dict[str, Any]] = json.loads((folder / LIST).read_text("utf-8"))
    except (OSError, ValueError):
        raise not_found("page", "/demo") from None
    return found
