"""``/agents``: every agent the caller may see, by what one looks for: who is silent, behind, late by its clock, old, and with
which key. Administrators make the token of a new one here, as on the command line: it is shown once, with the command to run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.caller import Caller
from collector.access.guard import Administrator, Reader
from collector.fleet.tokens import list_tokens
from collector.fleet.tokens_api import Made, end_token, make_token
from collector.store.schema import instant
from collector.web import agents_view, site_view, view
from collector.web.agents_view import SHOWN, Asked
from collector.web.queries import agent_keys_of
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services

HOURS = (1, 24, 72, 168)
SAID = ("cancelled",)
Short = Annotated[str, Form(max_length=100)]


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
        said: str = "",
    ) -> Response:
        asked = Asked(
            q.strip()[:100],
            trouble if trouble in agents_view.TROUBLES else "",
            version[:50],
            sort if sort in agents_view.ORDERS else "",
            down,
        )
        return show(request, services, caller, asked, max(0, start), said=said if said in SAID else "")

    @routes.post("/agents", response_model=None)
    def make(request: Request, caller: Administrator, site: Short, host: Short = "", hours: int = Form(24)) -> Response:
        made = make_token(services, caller, site.strip(), host.strip().lower(), hours)
        return show(request, services, caller, Asked(site.strip()), made=made)

    @routes.post("/agents/tokens/{token}/cancel", response_model=None)
    def cancel(caller: Administrator, token: str) -> Response:
        end_token(services, caller, token)
        return RedirectResponse("/agents?said=cancelled#add", 303)

    return routes


def show(
    request: Request, services: Services, caller: Caller, asked: Asked, start: int = 0, *, said: str = "",
    made: Made | None = None,
) -> Response:  # fmt: skip
    """The page; ``made`` right after a token was: it is shown this once and never by an address."""
    frame, fleet = frame_of(request, services), services.registry.fleet
    live, standing = services.live, services.standing
    sites = view.visible_sites(fleet, caller.scope)
    lines = [
        site_view.agent_line(agent, live, standing)
        for site in sites.values()
        for agent in site_view.visible_agents(fleet, site, caller.scope)
    ]
    may_add = caller.may("administer") and not services.is_hub
    with services.store.reading() as connection:
        rows = agent_keys_of(connection)
        tokens = list_tokens(connection, caller.scope, instant(frame.now_ms)) if may_add else []
    mine = {line.agent.id for line in lines}
    keys = {one: key for one, some in rows.items() if one in mine and (key := agents_view.newest_key(some))}
    found = agents_view.chosen(lines, keys, fleet.sites, asked)
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
        "may_add": may_add,
        "own_sites": sorted(
            (one for one in fleet.sites.values() if caller.scope.allows(one.agency, one.id)), key=frame.words.name
        )
        if may_add
        else [],
        "hours": HOURS,
        "unused": [one for one in tokens if one.state == "unused" and not one.hub],
        "said": said,
        "made": made,
    }
    return page(request, services, "agents.html", values, frame=frame)


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
