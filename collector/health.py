"""``/healthz``: this process answers. ``/readyz``: it may be trusted, too: the database takes writes and verdicts are made."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from collector.fleet.tables import fleet_version
from collector.services import Services

VERDICTS_LATE_MS = 30_000


def router(services: Services) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="Whether the process answers")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz", summary="Whether the collector can take reports and judge")
    def readyz() -> Response:
        wrong = problems(services)
        body = {"status": "not ready" if wrong else "ok", "problems": wrong}
        return JSONResponse(body, status_code=503 if wrong else 200)

    return routes


def problems(services: Services) -> list[str]:
    """What keeps this collector from being ready, in words."""
    found = []
    try:
        with services.store.reading() as connection:
            connection.execute(select(fleet_version.c.version)).scalar()
    except SQLAlchemyError as why:
        found.append(f"the database does not answer: {why.__class__.__name__}")
    if services.log.failing_since_ms is not None:
        seconds = (services.clock.wall_ms() - services.log.failing_since_ms) // 1000
        found.append(f"reports cannot be stored and are refused since {seconds} s")
    if services.upstream is not None and not services.upstream.pull.has_registry:
        found.append("the centre was not heard yet, so nobody of this hub's region is known")
    late_ms = services.clock.wall_ms() - services.standing.at_ms
    if late_ms > VERDICTS_LATE_MS:
        found.append(f"no verdict was made for {late_ms // 1000} s")
    return found
