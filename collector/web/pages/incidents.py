"""``/incidents``: what is broken and who has it. Lists and filters without script; with it, a change shows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.guard import Reader
from collector.incidents import seen
from collector.incidents.incident import OPEN, STATES
from collector.incidents.queries import holding_signals, list_incidents
from collector.incidents.signal import SEVERITIES
from collector.people.queries import whole_book
from collector.store.schema import instant
from collector.web import incident_view, view
from collector.web.people_names import PeopleNames
from collector.web.render import frame_of, page
from collector.web.silence_view import silence_desk, silenced_until

if TYPE_CHECKING:
    from collector.services import Services

AT_ONCE = 100
MOST_OPEN = 1_000
FILTERS = ("open", *STATES, "all")


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/incidents")
    def incidents(
        request: Request, caller: Reader, state: str = "open", severity: str = "", site: str = "", before: str = ""
    ) -> Response:
        frame = frame_of(request, services)
        state = state if state in FILTERS else "open"
        severity = severity if severity in SEVERITIES else ""
        is_open = state == "open"
        states = OPEN if is_open else () if state == "all" else (state,)
        limit = MOST_OPEN if is_open else AT_ONCE
        with services.store.reading() as connection:
            found = list_incidents(
                connection, caller.scope, states=states, severity=severity, site=site[:64],
                before=int(before) if before.isdecimal() and len(before) < 16 else None, limit=limit + 1,
                with_reaching=True,
            )  # fmt: skip
            names = PeopleNames(whole_book(connection), frame.language)
            shown = found[:limit]
            own = [one for one in shown if caller.scope.allows(one.agency, one.site)]
            desk = silence_desk(services, caller)
            signals = holding_signals(connection, [one.number for one in own if one.is_open]) if desk else {}
        more = found[limit - 1].number if len(found) > limit else None
        fleet, now = services.registry.fleet, instant(frame.now_ms)
        values = {
            "incidents": incident_view.in_order(shown) if is_open else shown,
            "reach": {each.number: seen.reach(each, fleet, caller.scope) for each in shown},
            "clocks": {each.number: incident_view.clock(each, now) for each in shown},
            "names": names,
            "fleet": fleet,
            "sites": sorted(view.visible_sites(fleet, caller.scope).values(), key=frame.words.name),
            "state": state,
            "severity": severity,
            "site": site,
            "more": more,
            "filters": FILTERS,
            "shapes": incident_view.SHAPES,
            "waits": incident_view.waits,
            "own": {one.number for one in own} if caller.may("answer") else frozenset(),
            "silenced": silenced_until(desk, own, signals, fleet, now) if desk else {},
        }
        return page(request, services, "incidents.html", values, frame=frame)

    return routes
