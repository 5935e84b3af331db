"""The routes Prometheus reads."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from collector.access.guard import Reader
from collector.errors import Refused
from collector.exposition.completeness import completeness_text
from collector.exposition.discovery import targets
from collector.exposition.fleet import fleet_text
from collector.exposition.hubs import hubs_text
from collector.exposition.incidents import incidents_text
from collector.exposition.site import WHOLE, parse_shard, site_text
from collector.exposition.stream import stream
from collector.exposition.turns import Turns
from collector.services import Services
from collector.store.scope import EVERYTHING


def router(services: Services) -> APIRouter:
    routes = APIRouter(tags=["prometheus"])

    @routes.get("/metrics", summary="The collector itself, sites and hubs")
    async def metrics(request: Request, caller: Reader) -> Response:
        """A caller with limits sees its own sites, hubs and agencies, and nothing of the collector itself."""
        fleet = services.registry.fleet

        async def chunks() -> AsyncIterator[bytes]:
            for chunk in fleet_text(fleet, services.live, services.standing, caller.scope):
                yield chunk
            for chunk in hubs_text(fleet, services.standing, services.hub_contacts.states(), caller.scope):
                yield chunk
            for chunk in completeness_text(fleet, services.completeness, caller.scope):
                yield chunk
            for chunk in incidents_text(fleet, services.response.incidents.open_at, caller.scope):
                yield chunk
            if caller.scope == EVERYTHING:  # it names hubs, rosters, channels and stores, and belongs to no agency
                yield services.telemetry.text()

        return stream(request, chunks())

    @routes.get("/metrics/sites/{site}", summary="One site's hosts, agents and checks")
    async def site_metrics(request: Request, site: str, caller: Reader, shard: str = "") -> Response:
        fleet = services.registry.fleet
        found = fleet.sites.get(site)
        if found is None or not caller.scope.allows(found.agency, found.id):
            raise Refused(404, "not_found", f"There is no site {site!r}.")
        try:
            part = parse_shard(shard) if shard else WHOLE
        except ValueError as why:
            raise Refused(400, "bad_shard", str(why)) from why
        now_ms, turns = services.clock.wall_ms(), Turns(lambda: services.log.is_committing)
        chunks = site_text(fleet, services.live, services.standing, found, caller.scope, part, now_ms, turns)
        return stream(request, chunks)

    @routes.get("/sd/prometheus", summary="HTTP service discovery of the site endpoints")
    async def discovery(request: Request, caller: Reader) -> JSONResponse:
        address = request.headers.get("host") or f"{services.settings.server.host}:{services.settings.server.port}"
        scheme = "https" if services.settings.server.is_secure else "http"
        return JSONResponse(targets(services.registry.fleet, caller.scope, address, scheme))

    return routes
