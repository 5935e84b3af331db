"""``/hubs/{id}``: a hub, how it is, and the sites that report through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.guard import Reader
from collector.access.problems import not_found
from collector.incidents.incident import OPEN
from collector.incidents.queries import list_incidents
from collector.verdicts.api import may_see
from collector.web import view
from collector.web.incident_view import in_order
from collector.web.queries import latest_changes
from collector.web.render import frame_of, page
from collector.web.rows import Boards

if TYPE_CHECKING:
    from collector.services import Services

SHOWN_CHANGES = 20
MOST_SITES = 500


def router(services: Services, boards: Boards) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/hubs/{hub_id}")
    def hub(request: Request, caller: Reader, hub_id: str) -> Response:
        fleet, standing = services.registry.fleet, services.standing
        found = fleet.hubs.get(hub_id)
        if found is None or not may_see("hub", hub_id, fleet, caller.scope):
            raise not_found("hub", hub_id)
        frame = frame_of(request, services)
        snapshot = boards.of(caller.scope).observe(fleet, services.live, standing)
        rows = [row for row in snapshot.rows.values() if row.site.hub == hub_id]
        rows.sort(key=lambda row: (-row.verdict.state, row.site.id))
        mine = {row.site.id for row in rows}
        with services.store.reading() as connection:
            changes = latest_changes(connection, [("hub", hub_id)], SHOWN_CHANGES)
            broken = list_incidents(connection, caller.scope, states=OPEN)
        values = {
            "hub": found,
            "verdict": view.judged(standing.hubs.get(hub_id)),
            "rows": rows[:MOST_SITES],
            "total": len(rows),
            "counts": view.counts_by_state(rows),
            "seen": snapshot.seen,
            "changes": changes,
            "names": {hub_id: frame.words.name(found)},
            "incidents": in_order(one for one in broken if one.subject == ("hub", hub_id) or one.site in mine),
        }
        return page(request, services, "hub.html", values, frame=frame)

    return routes
