"""What answers requests: which noun's routes there are, and the short way for agents.

The two routes agents use a thousand times a minute go straight to the intake; everything else goes to FastAPI, behind
the access guard.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from collector import health
from collector.access import api as access_api
from collector.access import audit_api
from collector.access.guard import protect
from collector.agencies import api as agencies_api
from collector.completeness import api as completeness_api
from collector.exposition import api as exposition_api
from collector.fleet import api as fleet_api
from collector.history import api as history_api
from collector.intake.body import Receive, Send, send_problem
from collector.intake.http import Intake
from collector.maintenance import api as maintenance_api
from collector.people import api as people_api
from collector.relay import enrolment_api as relay_enrolment
from collector.relay.hub import HubSide
from collector.rosters import api as rosters_api
from collector.rosters import feed_api
from collector.rules import api as rules_api
from collector.rules.job import RuleJob
from collector.services import Services
from collector.verdicts import api as verdicts_api
from collector.web import routes as web
from collector.web.events import Streams

LINK_PATHS = ("/v1/envelopes", "/v1/schemas")
NOUNS = (
    access_api,
    agencies_api,
    fleet_api,
    history_api,
    completeness_api,
    exposition_api,
    verdicts_api,
    maintenance_api,
    people_api,
    rosters_api,
    feed_api,
)


def make_fastapi(services: Services, rules: RuleJob, streams: Streams, own_public: bytes) -> FastAPI:
    """Every route but the intake's. Made last: routes ask ``services`` for all of a collector's parts."""
    app = FastAPI(
        title="Bongsu", version=version("bongsu"), docs_url=None, redoc_url=None, openapi_url="/api/openapi.json"
    )
    protect(app, services.access)
    app.include_router(health.router(services))
    for noun in NOUNS:
        app.include_router(noun.router(services))
    app.include_router(rules_api.router(rules))
    app.include_router(audit_api.router(services, own_public))
    if services.upstream is not None:
        app.include_router(relay_enrolment.router(services, services.upstream))
    for routes in services.response.routers():
        app.include_router(routes)
    for pages in web.routers(services, streams):
        app.include_router(pages)
    web.install(app, services)
    return app


class Dispatch:
    """An ASGI application that looks at the path once. ``fastapi`` is asked for when the first request needs it."""

    def __init__(self, fastapi: Callable[[], FastAPI], intake: Intake, upstream: HubSide | None) -> None:
        self._fastapi = fastapi
        self._intake = intake
        self._upstream = upstream
        if upstream is not None:
            upstream.pull.forged = lambda: intake.forged

    def prepare(self) -> None:
        """Before the first request comes: neither it nor the reports meanwhile should wait for half a second. FastAPI makes a
        router's routes when a path is first looked for among them."""
        nowhere = {"type": "http", "method": "GET", "path": "/nowhere", "root_path": "", "headers": []}
        for route in self._fastapi().routes:
            route.matches(nowhere)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in LINK_PATHS:
            if self._upstream is not None and not self._upstream.pull.has_registry:
                # Whom it does not know it would ask to hold for an hour.
                return await send_problem(send, 503, "no_registry", "the centre was not heard yet; send again", 5)
            if scope["path"] == "/v1/envelopes":
                return await self._intake.envelopes(scope, receive, send)
            return await self._intake.schemas(scope, receive, send)
        if scope["type"] == "http" and scope["method"] == "HEAD":
            # What GET would say, without its body (RFC 9110): monitors of monitors ask this way.
            return await self._fastapi()({**scope, "method": "GET"}, receive, _without_body(send))
        return await self._fastapi()(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def head(message: MutableMapping[str, Any]) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return head
