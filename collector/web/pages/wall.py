"""``/wall``: how everything stands, to be read from across the room; no login, no pointer, no script needed.

``/wall/enter?token=…`` takes the token of ``bongsu api-token create NAME --wall`` once, for a cookie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.caller import Caller
from collector.access.guard import Watcher, set_wall_cookie
from collector.agencies.crisis import crisis_now
from collector.incidents.incident import OPEN
from collector.incidents.queries import count_open, list_incidents
from collector.rosters.asked import known, names_of
from collector.rosters.duty import answer
from collector.store.schema import instant
from collector.web import incident_view, view
from collector.web.pages.board import STALE_MS
from collector.web.people_names import PeopleNames
from collector.web.render import frame_of, page
from collector.web.rows import Boards
from collector.web.systems_view import Counts
from collector.web.wall_view import crowds, incidents_beside, urgent_first, wall_hubs

if TYPE_CHECKING:
    from collector.services import Services

RENEW_SECONDS = 15
"""How often a browser without script loads the wall anew; with script it changes as things happen."""
MOST_ROSTERS = 5
LOOKED_AT = 300
"""Open incidents among which the most urgent are found."""


def router(services: Services, boards: Boards) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    counts = Counts()

    @routes.get("/wall")
    def wall(request: Request, caller: Watcher) -> Response:
        fleet, live, standing = services.registry.fleet, services.live, services.standing
        frame = frame_of(request, services)
        snapshot = boards.of(caller.scope).observe(fleet, live, standing)
        with services.store.reading() as connection:
            open_by_severity = count_open(connection, caller.scope)
            crisis = crisis_now(connection)
            found = list_incidents(connection, caller.scope, states=OPEN, limit=LOOKED_AT)
        duties, idle, names = on_duty(services, caller, frame.language)
        rows = tuple(snapshot.rows.values())
        hubs = wall_hubs(rows, fleet, standing, caller.scope)
        values = {
            "hubs": hubs,
            "crowds": crowds(hubs),
            "crisis": crisis,
            "counts": view.counts_by_state(rows),
            "total": len(rows),
            "seen": snapshot.seen,
            "open": open_by_severity,
            "open_total": sum(open_by_severity.values()),
            "incidents": urgent_first(found)[: incidents_beside(min(len(duties), MOST_ROSTERS))],
            "shapes": incident_view.SHAPES,
            "waiting": [one.number for one in found if one.severity == "critical" and incident_view.waits(one)],
            "apart": counts.of(fleet, live, standing, caller.scope, frame.now_ms),
            "idle": idle,
            "duties": duties[:MOST_ROSTERS],
            "duties_left": max(0, len(duties) - MOST_ROSTERS),
            "names": names,
            "incident_waits": incident_view.waits,
            "ms": lambda at: int(at.timestamp() * 1000),
            "at_ms": snapshot.at_ms,
            "is_stale": snapshot.at_ms is None or frame.now_ms - snapshot.at_ms > STALE_MS,
            "token": snapshot.token,
            "renew": RENEW_SECONDS,
        }
        return page(request, services, "wall.html", values, frame=frame)

    @routes.get("/wall/enter", response_model=None)
    def enter(request: Request, token: str = "") -> Response:
        kept = services.access.enter_wall(token) if token else ""
        if not kept and services.access.by_wall(request.cookies.get(services.access.wall_cookie_name, "")) is None:
            return page(request, services, "wall_enter.html", {"signed_out": True}, status=403)
        answer = RedirectResponse("/wall", status_code=303, headers={"cache-control": "no-store"})
        if kept:
            set_wall_cookie(services.access, answer, kept)
        return answer

    return routes


def on_duty(
    services: Services, caller: Caller, language: str
) -> tuple[list[tuple[object, str, bool]], list[object], PeopleNames]:
    """Each roster somebody is on duty of now, or ought to be: with the people (of a hole, who is called instead) and whether
    it is one, holes first; and those of which nobody has to be. Names only: how to reach people hangs on no wall."""
    found, now = known(services, caller), instant(services.clock.wall_ms())
    duties: list[tuple[object, str, bool]] = []
    idle: list[object] = []
    for roster in found.rosters:
        called = answer(roster, found.ground, now)
        if called.duties or called.is_hole:
            duties.append((roster, names_of(found.book, called.people, language), called.is_hole))
        else:
            idle.append(roster)
    duties.sort(key=lambda one: not one[2])
    return duties, idle, PeopleNames(found.book, language)
