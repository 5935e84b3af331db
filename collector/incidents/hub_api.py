"""``POST /v1/incidents``: a hub that was alone hands its incidents to the centre."""

from __future__ import annotations

import hmac
import logging
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request

from collector.errors import Refused
from collector.escalation.policy_apply import current_plan
from collector.incidents.handed import AT_ONCE, PATH, Handed, digest_of
from collector.incidents.handed_queries import take
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

log = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(Handed).decode


async def _body(request: Request) -> bytes:
    return await request.body()


def router(services: Services) -> APIRouter:
    routes = APIRouter(tags=["link"])

    @routes.post(PATH)
    def hand_over(request: Request, body: Annotated[bytes, Depends(_body)], digest: str = "") -> dict[str, Any]:
        """Incidents of a hub's own; they are taken into the centre's, so that nobody is paged twice."""
        if services.is_hub:
            raise Refused(404, "not_found", "This is a hub itself; the centre takes incidents.")
        path = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        hub, _ = services.hub_contacts.caller("POST", path, request.headers)
        if not hmac.compare_digest(digest.encode(), digest_of(body).encode()):
            raise Refused(400, "bad_digest", "The body is not the one that was signed.")
        try:
            handed = _decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as why:
            raise Refused(400, "bad_request", f"incidents: {why}") from why
        if len(handed.incidents) > AT_ONCE:
            raise Refused(413, "too_large", f"{len(handed.incidents)} incidents: expected at most {AT_ONCE}.")
        now = instant(services.clock.wall_ms())
        with services.store.transaction() as connection:
            take(connection, hub, handed.incidents, services.registry.fleet, current_plan(connection), now)
        log.info("a hub handed its incidents over", extra={"hub": hub, "count": len(handed.incidents)})
        return {"taken": [report.uid for report in handed.incidents]}

    return routes
