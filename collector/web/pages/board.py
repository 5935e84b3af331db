"""``/``: every site, worst first, live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.guard import Reader
from collector.agencies.crisis import crisis_now
from collector.incidents.queries import count_open
from collector.web import incident_view, view
from collector.web.render import frame_of, page
from collector.web.rows import Boards
from collector.web.systems_view import Counts

if TYPE_CHECKING:
    from collector.services import Services

STALE_MS = 10_000
"""Verdicts are made every second; ones this old mean that nobody judges any more, and the page says so."""


def router(services: Services, boards: Boards) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    counts = Counts()

    @routes.get("/")
    def board(request: Request, caller: Reader, q: str = "", state: str = "") -> Response:
        frame = frame_of(request, services)
        rows = boards.of(caller.scope)
        snapshot = rows.observe(services.registry.fleet, services.live, services.standing)
        wanted = int(state) if state in ("0", "1", "2", "3", "4") else None
        query = q.strip()[:100]
        every = snapshot.rows.values()
        fitting = [row for row in every if view.matches(row, query, wanted)]
        groups = [
            (group, [rows.markup(row, snapshot.seen[row.site.id], frame.now_ms, frame.words) for row in group.rows])
            for group in view.groups(fitting)
        ]
        with services.store.reading() as connection:
            broken = count_open(connection, caller.scope)
            crisis = crisis_now(connection)
        values = {
            "incidents": broken,
            "crisis": crisis,
            "shapes": incident_view.SHAPES,
            "apart": counts.of(services.registry.fleet, services.live, services.standing, caller.scope, frame.now_ms),
            "groups": groups,
            "counts": view.counts_by_state(every),
            "total": len(every),
            "shown": len(fitting),
            "query": query,
            "state": wanted,
            "at_ms": snapshot.at_ms,
            "is_stale": snapshot.at_ms is None or frame.now_ms - snapshot.at_ms > STALE_MS,
            "token": snapshot.token,
        }
        return page(request, services, "board.html", values, frame=frame)

    return routes
