"""``/agents``: every agent the caller may see, by what one looks for: who is silent, behind, late by its clock, old, and with
which key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from collector.access.guard import Reader
from collector.web import agents_view, site_view, view
from collector.web.agents_view import SHOWN, Asked
from collector.web.queries import agent_keys_of
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/agents")
    def agents(
        request: Request,
        caller: Reader,
        q: str = "",
        trouble: str = "",
        version: str = "",
        sort: str = "",
        down: bool = False,
        start: int = 0,
    ) -> Response:
        fleet, live, standing = services.registry.fleet, services.live, services.standing
        lines = [
            site_view.agent_line(agent, live, standing)
            for site in view.visible_sites(fleet, caller.scope).values()
            for agent in site_view.visible_agents(fleet, site, caller.scope)
        ]
        with services.store.reading() as connection:
            rows = agent_keys_of(connection)
        mine = {line.agent.id for line in lines}
        keys = {one: key for one, some in rows.items() if one in mine and (key := agents_view.newest_key(some))}
        asked = Asked(
            q.strip()[:100],
            trouble if trouble in agents_view.TROUBLES else "",
            version[:50],
            sort if sort in agents_view.ORDERS else "",
            down,
        )
        found = agents_view.chosen(lines, keys, fleet.sites, asked)
        start = max(0, start)
        values = {
            "agents": found[start : start + SHOWN],
            "found": len(found),
            "total": len(lines),
            "start": start,
            "most": SHOWN,
            "keys_of": keys,
            "sums": agents_view.sums(lines),
            "asked": asked,
            "to": Ways(asked),
            "sites": fleet.sites,
            "off_ms": agents_view.CLOCK_OFF_MS,
        }
        return page(request, services, "agents.html", values, frame=frame_of(request, services))

    return routes


class Ways:
    """Addresses of this list asked a little differently."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def __call__(self, **other: Any) -> str:
        asked = self._asked._replace(**{name: value for name, value in other.items() if name != "start"})
        said = {
            "q": asked.text,
            "trouble": asked.trouble,
            "version": asked.version,
            "sort": asked.sort,
            "down": "1" if asked.is_reversed else "",
            "start": other.get("start") or "",
        }
        query = urlencode({name: value for name, value in said.items() if value})
        return f"/agents?{query}" if query else "/agents"

    def sorted_by(self, order: str) -> str:
        """The same again turns it round."""
        is_same = (self._asked.sort or "state") == order
        return self(sort=order, is_reversed=is_same and not self._asked.is_reversed)
