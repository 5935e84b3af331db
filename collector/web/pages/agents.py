"""``/agents``: every agent the caller may see, the silent ones first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.guard import Reader
from collector.web import site_view, view
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/agents")
    def agents(request: Request, caller: Reader) -> Response:
        fleet, live, standing = services.registry.fleet, services.live, services.standing
        frame = frame_of(request, services)
        lines = [
            site_view.agent_line(agent, live, standing)
            for site in view.visible_sites(fleet, caller.scope).values()
            for agent in site_view.visible_agents(fleet, site, caller.scope)
        ]
        lines.sort(key=lambda line: (-line.verdict.state, line.agent.site, line.agent.host))
        return page(request, services, "agents.html", {"agents": lines, "sites": fleet.sites}, frame=frame)

    return routes
