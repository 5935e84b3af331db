"""What agents ask for themselves, outside their reports: ``POST /v1/enrolments``, ``POST /v1/keys``, ``GET /v1/ca``.

These are open to whoever can connect, so a body is read no further than ``MOST_BYTES`` and every refusal is counted.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from agent.link.answer import HUB
from agent.link.names import AGENT_HEADER
from agent.link.token import TokenError, read_token
from collector.errors import Refused
from collector.fleet.enrolment import EnrolmentRequest, enrol, read_enrolment
from collector.fleet.hubs import enrol_hub
from collector.fleet.keys import ca_file
from collector.fleet.rotation import read_rotation, rotate
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

MOST_BYTES = 64 << 10
log = logging.getLogger(__name__)


async def small_body(request: Request) -> bytes:
    """The body, counted as it streams in. Raises Refused ``too_large``."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise Refused(
                413, "too_large", f"The body is larger than {MOST_BYTES} bytes.", headers={"Connection": "close"}
            )
    return bytes(body)


SmallBody = Annotated[bytes, Depends(small_body)]


def router(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["link"])

    @routes.post("/enrolments", openapi_extra=_body("token", "public_key", "proof", "host"), response_model=None)
    def enrolments(asked: Request, body: SmallBody) -> Response:
        """Join with a token: docs/protocol.md, "Enrolment"."""
        hub = ""
        if AGENT_HEADER in asked.headers:  # a hub asks on an agent's behalf
            hub, _ = services.hub_contacts.caller("POST", asked.url.path, asked.headers)
        try:
            request = read_enrolment(body)
            if _role(request) == HUB:
                return _hub(services, request)
            with services.store.transaction() as connection:
                answer, again = enrol(connection, request, services.centre_key, _now(services), hub=hub)
        except Refused as why:
            services.telemetry.enrolment(why.code)
            log.warning("enrolment was refused", extra={"code": why.code, "detail": why.detail})
            raise
        services.telemetry.enrolment("repeated" if again else "enrolled")
        log.info("agent was enrolled", extra={"agent": answer.agent_id, "host": answer.hosts[0], "again": again})
        services.registry.refresh()
        return Response(msgspec.json.encode(answer), media_type="application/json")

    @routes.post("/keys", openapi_extra=_body("agent_id", "key_no", "public_key", "signature"), response_model=None)
    def keys(body: SmallBody) -> dict[str, Any]:
        """Rotate an agent's key: docs/protocol.md, "Keys"."""
        try:
            request = read_rotation(body)
            with services.store.transaction() as connection:
                key_no = rotate(connection, request, _now(services))
        except Refused as why:
            services.telemetry.enrolment(why.code)
            log.warning("key rotation was refused", extra={"code": why.code, "detail": why.detail})
            raise
        services.telemetry.enrolment("rotated")
        log.info("agent key was rotated", extra={"agent": request.agent_id.hex(), "key_no": key_no})
        services.registry.refresh()
        return {"key_no": key_no}

    @routes.get("/ca", response_class=PlainTextResponse, response_model=None)
    def ca() -> Response:
        """The certificate authority (PEM) behind this collector's certificate, where it has its own."""
        file = ca_file(services.settings.data_dir)
        if not file.is_file():
            raise Refused(404, "not_found", "This collector has no certificate authority of its own.")
        return PlainTextResponse(file.read_text("ascii"))

    return routes


def _role(request: EnrolmentRequest) -> str:
    try:
        return read_token(request.token).role
    except TokenError as why:
        raise Refused(400, "token_malformed", f"{why}") from why


def _hub(services: Services, request: EnrolmentRequest) -> Response:
    with services.store.transaction() as connection:
        token = read_token(request.token)
        answer, again = enrol_hub(connection, request, token, services.centre_key, _now(services))
    services.telemetry.enrolment("repeated" if again else "enrolled")
    log.info("hub was enrolled", extra={"hub": answer["hub"], "identity": answer["agent_id"], "again": again})
    services.registry.refresh()
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _now(services: Services) -> Any:
    return instant(services.clock.wall_ms())


def _body(*names: str) -> dict[str, Any]:
    fields = {name: {"type": "integer" if name == "key_no" else "string"} for name in names}
    schema = {"type": "object", "required": list(names), "properties": fields}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
