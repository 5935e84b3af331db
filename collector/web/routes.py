"""What the application takes from here: ``routers`` to include, ``install`` for what surrounds every answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from collector.access.problems import problem
from collector.errors import Refused
from collector.web import events
from collector.web.headers import HEADERS, SecurityHeaders
from collector.web.pages import (
    account,
    admin,
    agents,
    answer,
    beats,
    board,
    completeness,
    demo,
    host,
    hub,
    incident,
    incident_report,
    incidents,
    login,
    look,
    maintenance,
    map,
    oncall,
    paging,
    recovery,
    runbook,
    search,
    silences,
    site,
    situation,
    status,
    systems,
    wall,
)
from collector.web.pages.errors import error_page, wants_page
from collector.web.render import assets, warm

if TYPE_CHECKING:
    from collector.services import Services

log = logging.getLogger(__name__)
YEAR = "public, max-age=31536000, immutable"


def routers(services: Services, streams: events.Streams | None = None) -> list[APIRouter]:
    """Every page. ``streams`` where the caller wants to end the event streams when it stops."""
    if streams is None:  # an empty one is false, too
        streams = events.Streams(services)
    warm()
    return [
        board.router(services, streams.boards),
        wall.router(services, streams.boards),
        map.router(services, streams.boards),
        search.router(services),
        status.router(services),
        demo.router(services),
        hub.router(services, streams.boards),
        site.router(services),
        systems.router(services),
        recovery.router(services),
        host.router(services),
        agents.router(services),
        completeness.router(services),
        maintenance.router(services),
        oncall.router(services),
        runbook.router(services),
        incidents.router(services),
        silences.router(services),
        beats.router(services),
        paging.router(services),
        incident_report.router(services),
        incident.router(services),
        answer.router(services),
        admin.router(services),
        account.router(services),
        situation.router(services),
        login.router(services),
        look.router(services),
        events.router(streams),
        static_router(),
    ]


def static_router() -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/static/{version}/{name:path}")
    def static(request: Request, version: str, name: str) -> Response:
        found = assets.get(name)
        if found is None:
            raise Refused(404, "not_found", f"no file {name!r}")
        # A page from before an update may still ask by the old version: it gets today's file, but must not keep it.
        headers = {"cache-control": YEAR if version == assets.version else "no-cache", "vary": "Accept-Encoding"}
        if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(found.packed, 200, headers, found.type)
        return Response(found.body, 200, headers, found.type)

    return routes


def install(app: FastAPI, services: Services) -> None:
    """Security headers for every answer, and pages instead of problem details for people. Call after
    ``access.guard.protect``: its handlers keep answering programs."""
    app.add_middleware(SecurityHeaders)
    for kind in (Refused, HTTPException, RequestValidationError, OperationalError):
        app.add_exception_handler(kind, _for_people(services, app.exception_handlers.get(kind)))
    app.add_exception_handler(Exception, _failed(services))


def _for_people(services: Services, for_programs: Any) -> Callable[[Request, Exception], Any]:
    def answer(request: Request, why: Exception) -> Any:
        if wants_page(request):
            is_away = isinstance(why, OperationalError)
            status = why.status if isinstance(why, Refused) else 503 if is_away else getattr(why, "status_code", 422)
            detail = why.detail if isinstance(why, Refused) and status not in (401, 403, 404) else ""
            return error_page(request, services, status, detail)
        assert for_programs is not None, "install comes after protect"
        return for_programs(request, why)

    return answer


def _failed(services: Services) -> Callable[[Request, Exception], Response]:
    """The border where a request's own failure ends: the server logs the traceback, the person gets a page."""

    def answer(request: Request, _why: Exception) -> Response:
        found: Response = problem(Refused(500, "internal", "The collector failed to answer; its log says why."))
        if wants_page(request):
            found = error_page(request, services, 500)
        for name, value in HEADERS.items():  # this answer is made outside every middleware
            found.headers.setdefault(name, value)
        return found

    return answer
