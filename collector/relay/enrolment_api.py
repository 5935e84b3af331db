"""``POST /v1/enrolments`` and ``POST /v1/keys`` on a hub: the centre decides; where it cannot be asked, ``admission``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from agent.link.exchange import Failure
from agent.link.exchange import Response as Answered
from collector.errors import Refused
from collector.fleet.enrolment import read_enrolment
from collector.fleet.enrolment_api import SmallBody
from collector.fleet.joining import read_own
from collector.fleet.keys import ca_file
from collector.fleet.rotation import read_rotation, rotate
from collector.relay.admission import accepted, admit, check_offline, propose, with_name
from collector.relay.registry_pull import ENROLMENTS_PATH, decision_of
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.relay.hub import HubSide
    from collector.services import Services

log = logging.getLogger(__name__)
KEYS_PATH = "/v1/keys"
ASK_SECONDS = 15.0
"""Agents wait a minute for their answer."""


def router(services: Services, hub: HubSide) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["link"])

    @routes.post("/enrolments", response_model=None)
    def enrolments(body: SmallBody) -> Response:
        """Join with a token: docs/protocol.md, "Enrolment"."""
        try:
            status, answer = _enrol(services, hub, body)
        except Refused as why:
            services.telemetry.enrolment(why.code)
            log.warning("enrolment was refused", extra={"code": why.code, "detail": why.detail})
            raise
        services.registry.refresh()
        kind = "application/json" if status == 200 else "application/problem+json"
        return Response(msgspec.json.encode(answer), status, media_type=kind)

    @routes.post("/keys", response_model=None)
    def keys(body: SmallBody) -> Response:
        """Rotate an agent's key: the centre takes it first."""
        request = read_rotation(body)
        response: Answered | Failure = Failure("the line is cut")
        if not hub.is_cut:  # nobody waits for an answer that will not come
            with hub.errand() as upstream:
                response = upstream.post(KEYS_PATH, body, ASK_SECONDS)
        if isinstance(response, Failure) or response.status >= 500 or response.status == 401:
            text = "The centre cannot be asked now; the key in use stays good. Try again later."
            raise Refused(503, "upstream_away", text, headers={"Retry-After": "60"})
        if response.status == 200:
            with services.store.transaction() as connection:
                rotate(connection, request, _now(services))
            services.telemetry.enrolment("rotated")
            services.registry.refresh()
        return Response(response.body, response.status, media_type=response.content_type)

    @routes.get("/ca", response_class=PlainTextResponse, response_model=None)
    def ca() -> Response:
        """The certificate authority (PEM) of the centre, which this hub's certificate is from too."""
        file = ca_file(services.settings.data_dir)
        if not file.is_file():
            raise Refused(404, "not_found", "This hub knows no certificate authority of its centre.")
        return PlainTextResponse(file.read_text("ascii"))

    return routes


def _enrol(services: Services, hub: HubSide, body: bytes) -> tuple[int, Any]:
    request = read_enrolment(body)
    if read_own(request.token, hub.centre_public).role:
        raise Refused(403, "token_foreign", "This join token is a hub's; a hub joins at the centre.")
    with services.store.transaction() as connection:
        admission = propose(connection, request, body, services.clock.wall_ms())
    with hub.errand() as upstream:
        decision = decision_of(upstream.post(ENROLMENTS_PATH, with_name(body, admission, admitted=False), ASK_SECONDS))
    with services.store.transaction() as connection:
        if decision is None:
            now = _now(services)
            token = check_offline(connection, request, hub.centre_public, now)
            answer = admit(connection, request, token, admission, hub.centre_public, now)
            services.telemetry.enrolment("provisional")
            return 200, answer
        status, said = decision
        if status == 200:
            accepted(connection, request, said, admission.token_hash, _now(services))
            services.telemetry.enrolment("enrolled")
    return status, said


def _now(services: Services) -> Any:
    return instant(services.clock.wall_ms())
