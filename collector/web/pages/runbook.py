"""``/runbooks/{name}``: what to do about one alert; where ``runbook_url`` of a shipped rule leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.guard import Reader
from collector.errors import Refused
from collector.rules.runbook import load_runbook
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/runbooks/{name}")
    def runbook(request: Request, name: str, caller: Reader) -> Response:  # noqa: ARG001 - who asks sees the same
        frame = frame_of(request, services)
        found = load_runbook(name, frame.language)
        if found is None:
            raise Refused(404, "not_found", f"There is no runbook {name!r}.")
        return page(request, services, "runbook.html", {"runbook": found}, frame=frame)

    return routes
