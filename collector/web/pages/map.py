"""``/map``: sites and hubs on the world and on Korea, with the same facts as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.guard import Reader
from collector.verdicts.api import may_see
from collector.web import map_view, view
from collector.web.projection import KOREA, WORLD
from collector.web.render import frame_of, page
from collector.web.rows import Boards

if TYPE_CHECKING:
    from collector.services import Services

MOST_ROWS = 500


def router(services: Services, boards: Boards) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/map")
    def maps(request: Request, caller: Reader) -> Response:
        fleet, live, standing = services.registry.fleet, services.live, services.standing
        frame = frame_of(request, services)
        snapshot = boards.of(caller.scope).observe(fleet, live, standing)
        rows = sorted(snapshot.rows.values(), key=lambda row: (-row.verdict.state, row.site.id))
        names = {row.site.id: frame.words.name(row.site) for row in rows}
        hub_states = {
            hub: found.state for hub, found in standing.hubs.items() if may_see("hub", hub, fleet, caller.scope)
        }
        at_home = [row for row in rows if map_view.place_of(row, KOREA) is not None]
        values = {
            "maps": [map_view.drawn(each, rows, names, fleet, hub_states) for each in (WORLD, KOREA)],
            "korea": at_home[0] if at_home else None,
            "korea_at": WORLD.place(*map_view.HOME),
            "korea_count": len(at_home),
            "nowhere": sum(map_view.place_of(row, WORLD) is None for row in rows),
            "rows": rows[:MOST_ROWS],
            "total": len(rows),
            "counts": view.counts_by_state(rows),
            "seen": snapshot.seen,
            "mark": map_view.MARK,
        }
        return page(request, services, "map.html", values, frame=frame)

    return routes
