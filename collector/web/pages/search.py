"""``/search?q=``: sites, hosts, systems, hubs, open and past incidents by a word or a number; only what the caller may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.guard import Reader
from collector.incidents.queries import find_seen, list_incidents
from collector.verdicts.api import may_see
from collector.verdicts.standing import NO_DATA
from collector.web import view
from collector.web.i18n import Words
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.access.caller import Caller
    from collector.services import Services

MOST = 20
"""Of each kind."""
LOOKED_AT = 500
"""Newest incidents whose titles are looked through."""


class Hit(NamedTuple):
    kind: str
    id: str
    name: str
    link: str
    state: int


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/search", response_model=None)
    def search(request: Request, caller: Reader, q: str = "") -> Response:
        frame = frame_of(request, services)
        query = q.strip()[:100]
        wanted = query.casefold()
        found = hits(services, caller, wanted, frame.words) if wanted else []
        number = wanted.removeprefix("#")
        with services.store.reading() as connection:
            if number.isdecimal() and len(number) < 10 and find_seen(connection, caller.scope, int(number)) is not None:
                return RedirectResponse(f"/incidents/{int(number)}", 303)
            newest = list_incidents(connection, caller.scope, limit=LOOKED_AT) if wanted else []
        titled = [one for one in newest if wanted in f"{one.title_ko} {one.title_en}".casefold()][:MOST]
        values = {"query": query, "hits": found, "incidents": titled}
        return page(request, services, "search.html", values, frame=frame)

    return routes


def hits(services: Services, caller: Caller, wanted: str, texts: Words) -> list[Hit]:
    """Things whose id or name holds ``wanted`` (case folded): what is called exactly so first, then by kind and id."""
    fleet, standing, scope = services.registry.fleet, services.standing, caller.scope
    sites = view.visible_sites(fleet, scope)
    every: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [
        ("site", sites, standing.sites),
        ("host", {h.id: h for s in sites.values() for h in view.visible_hosts(fleet, s, scope)}, standing.hosts),
        ("system", {s: v for s, v in fleet.systems.items() if may_see("system", s, fleet, scope)}, standing.systems),
        ("hub", {h: v for h, v in fleet.hubs.items() if may_see("hub", h, fleet, scope)}, standing.hubs),
    ]
    found: list[Hit] = []
    for kind, things, states in every:
        fitting = [
            (id_, thing)
            for id_, thing in sorted(things.items())
            if wanted in f"{id_} {getattr(thing, 'name_ko', '')} {getattr(thing, 'name_en', '')}".casefold()
        ]
        for id_, thing in sorted(fitting, key=lambda each: each[0] != wanted)[:MOST]:
            state = getattr(states.get(id_), "state", NO_DATA)
            found.append(Hit(kind, id_, texts.name(thing), f"/{kind}s/{id_}", state))
    return found
