"""What is told only to those who are known by a key: ``GET /v1/policy`` to agents, ``GET /v1/registry`` to hubs; the whole
registry only to custodians."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import select
from starlette.requests import Request

from agent.link.model import MAX_INT
from agent.link.policy import policy_text
from collector.errors import Refused
from collector.fleet.agent_status import REVOKED, SUSPENDED
from collector.fleet.hub_contact import CopyHeld
from collector.fleet.registry_copy import FULL, Made, export_copy, is_custodian
from collector.fleet.registry_export import Digests, export_registry
from collector.fleet.signed_request import verify
from collector.fleet.tables import agent_policies
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["link"])
    digests: Digests = {}
    made: Made = {}

    @routes.get("/policy")
    def policy(request: Request) -> dict[str, Any]:
        """The asking agent's newest policy under the centre's signature, base64; empty where there is none."""
        now_ms = services.clock.wall_ms()
        agent_id = verify("GET", _path(request), request.headers, services.nonces, _agent_key(services), now_ms)
        with services.store.reading() as connection:
            row = connection.execute(select(agent_policies).where(agent_policies.c.agent_id == agent_id)).first()
        return {"policy": policy_text(row.packed) if row is not None else "", "nonce": services.nonces.make(now_ms)}

    @routes.get("/registry")
    def registry(
        request: Request,
        have: Annotated[str, Query(max_length=64, description="Digest of the registry the hub has")] = "",
        forged: Annotated[int, Query(ge=0, description="Forged envelopes the hub refused since it started")] = 0,
        scope: Annotated[Literal["", "full"], Query(description="full: all of it, for a custodian's copy")] = "",
        version: Annotated[int, Query(ge=0, le=MAX_INT, description="Of the copy the custodian has")] = 0,
        at: Annotated[int, Query(ge=0, le=MAX_INT, description="When that was last all there was, ms")] = 0,
    ) -> dict[str, Any]:
        """The registry of the asking hub's region under the centre's signature, base64."""
        if services.is_hub:
            raise Refused(404, "not_found", "This is a hub itself; the centre gives registries.")
        hub, hub_id = services.hub_contacts.caller("GET", _path(request), request.headers)
        if scope == FULL:
            return whole(hub, hub_id, CopyHeld(version, at) if have else None, have)
        services.telemetry.forged_at_hub(hub, hub_id, forged)
        now_ms = services.clock.wall_ms()
        with services.store.reading() as connection:
            packed = export_registry(connection, hub, hub_id, have, instant(now_ms), services.centre_key.sign, digests)
        judged_ms = services.standing.at_ms if services.standing is not None else now_ms
        return {
            "registry": base64.b64encode(packed).decode(),
            "nonce": services.nonces.make(now_ms),
            "judged_seconds_ago": max(0, now_ms - judged_ms) / 1000,  # that it answers does not prove that it works
        }

    def whole(hub: str, hub_id: bytes, held: CopyHeld | None, have: str) -> dict[str, Any]:
        now_ms = services.clock.wall_ms()
        with services.store.reading() as connection:
            if not is_custodian(connection, hub):
                raise Refused(403, "not_custodian", f"No site of hub {hub!r} is a custodian (custodian = true).")
            sign = services.centre_key.sign
            packed, version, has_all = export_copy(connection, hub, hub_id, have, instant(now_ms), sign, made)
        services.hub_contacts.note_copy(hub_id, CopyHeld(version, now_ms) if has_all else held)
        return {"registry": base64.b64encode(packed).decode(), "nonce": services.nonces.make(now_ms)}

    return routes


def _path(request: Request) -> str:
    """As it was asked for, with its query: that is what was signed."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _agent_key(services: Services) -> Any:
    def key_of(agent_id: bytes, key_no: int) -> bytes | None:
        agent = services.registry.fleet.agents.get(agent_id)
        if agent is None or agent.status in (REVOKED, SUSPENDED):
            return None
        return agent.keys.get(key_no)

    return key_of
