"""``/demo``: the disasters of a demonstration, played and stopped by buttons. Nowhere but in one: elsewhere there is no such
page. The demonstration's directory lies around its centre's (``collector.web.stage``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.audit import record
from collector.access.guard import Reader, Writer
from collector.access.problems import not_found
from collector.store.schema import instant
from collector.web import stage
from collector.web.render import frame_of, page
from collector.web.stage import Wish

if TYPE_CHECKING:
    from collector.access.caller import Caller
    from collector.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    folder = services.settings.data_dir.parent

    def wish(caller: Caller, asked: Wish) -> None:
        if asked.number not in {one.number for one in stage.offered(folder)} | {None}:
            raise not_found("scenario", str(asked.number))
        stage.ask(folder, asked)
        said = "all" if asked.number is None else str(asked.number)
        with services.store.transaction() as connection:
            now = instant(services.clock.wall_ms())
            record(connection, now, caller.name, "demo.stop" if asked.is_stop else "demo.play", said)

    @routes.get("/demo")
    def demo(request: Request, caller: Reader, played: int = 0) -> Response:
        offers = stage.offered(folder)
        if not offers:
            raise not_found("page", "/demo")
        values = {
            "offers": offers,
            "playing": stage.playing(folder),
            "played": played,
            "may_play": caller.may("work"),
        }
        return page(request, services, "demo.html", values, frame=frame_of(request, services))

    @routes.post("/demo/stop", response_model=None)
    def stop_all(caller: Writer) -> Response:
        wish(caller, Wish(True, None))
        return RedirectResponse("/demo", 303)

    @routes.post("/demo/{number}", response_model=None)
    def play(caller: Writer, number: int) -> Response:
        wish(caller, Wish(False, number))
        return RedirectResponse(f"/demo?played={number}", 303)

    @routes.post("/demo/{number}/stop", response_model=None)
    def stop(caller: Writer, number: int) -> Response:
        wish(caller, Wish(True, number))
        return RedirectResponse("/demo", 303)

    return routes
