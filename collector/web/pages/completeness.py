"""``/completeness``: of every site the caller may see, whether its data is late or incomplete, and how much is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.guard import Reader
from collector.completeness import queries
from collector.completeness.hours import HOUR_MS
from collector.web import view
from collector.web.arrivals_view import arrival
from collector.web.completeness_view import SHOWN_HOURS
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/completeness")
    def completeness(request: Request, caller: Reader) -> Response:
        frame = frame_of(request, services)
        fleet, live, standing = services.registry.fleet, services.live, services.standing
        with services.store.reading() as connection:
            settled = queries.settled_ms(connection) or 0
            known = queries.site_hours(connection, frame.now_ms - SHOWN_HOURS * HOUR_MS, frame.now_ms + 1, settled)
        # Of a site that is only shared with the caller, its owner alone knows what should have come.
        mine = [site for site in fleet.sites.values() if caller.scope.allows(site.agency, site.id)]
        lines = [
            arrival(
                site,
                view.judged(standing.sites.get(site.id)),
                [
                    live.hosts[host].received_at_ms
                    for host in fleet.hosts_by_site.get(site.id, ())
                    if host in live.hosts
                ],
                known.get(site.id, ()),
                frame.now_ms,
            )
            for site in mine
        ]
        lines.sort(key=lambda line: line.order)
        values = {"lines": lines, "hours": SHOWN_HOURS, "lacking": sum(not line.is_whole for line in lines)}
        return page(request, services, "arrivals.html", values, frame=frame)

    return routes
