"""The composition root: the only file that knows everyone.

``build`` makes a collector out of settings and a clock; ``start`` brings it to life, ``stop`` ends it in the opposite
order. As an ASGI application it looks at the path once: the two routes agents use a thousand times a minute go straight
to the intake, everything else goes to FastAPI, behind the access guard.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from agent.link.answer import Receiver
from agent.link.clock import Clock
from agent.link.keys import SigningKey
from collector import health
from collector.access import api as access_api
from collector.access.guard import protect
from collector.access.identity import Access
from collector.agencies import api as agencies_api
from collector.exposition import api as exposition_api
from collector.exposition.remote_write.job import RemoteWrite
from collector.fleet import api as fleet_api
from collector.fleet.job import PolicyJob
from collector.fleet.keys import load_centre_key, load_receiver
from collector.fleet.registry import Registry
from collector.history import api as history_api
from collector.history.job import ChunkJob
from collector.history.reader import History
from collector.history.retention import RetentionJob
from collector.intake.admit import Admission
from collector.intake.body import Receive, Send
from collector.intake.commit import Writer
from collector.intake.http import Intake
from collector.intake.nonce import Nonces
from collector.intake.reply import Answering
from collector.intake.restore import restore_live
from collector.intake.settle import settle
from collector.jobs import Job, Jobs, table
from collector.live.board import Live, LiveCheck
from collector.live.shape import Shapes
from collector.log.positions import Positions
from collector.log.queries import packed_schema
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.migrate import require_head
from collector.telemetry import Telemetry
from collector.verdicts.job import VerdictJob
from collector.verdicts.queries import failing
from collector.verdicts.standing import Standing
from collector.web import routes as web
from collector.web.events import Streams

log = logging.getLogger(__name__)
CHECKPOINT_SECONDS = 60.0


class App:
    """A running collector. Its attributes are what ``collector.services.Services`` promises to the nouns."""

    def __init__(self, settings: Settings, clock: Clock, centre_key: SigningKey, receiver: Receiver) -> None:
        self.settings = settings
        self.clock = clock
        self.centre_key = centre_key
        self.store = Store(settings.store_url)
        self.telemetry = Telemetry(version("bongsu"))
        self.registry = Registry(self.store)
        self.access = Access(self.store, settings, clock)
        self.live = Live()
        positions = Positions()
        self.admission = Admission(settings.limits, Shapes(), self._stored_schema)
        self.log = Writer(self.store, self.registry, positions, self.live, clock, settings.history.raw_days)
        self.log.on_schema = self._schema_came
        self.log.on_commit = self._committed
        nonces = Nonces(centre_key.seed)
        answering = Answering(receiver, centre_key.sign)
        self.intake = Intake(self.registry, self.admission, self.log, answering, nonces, clock, settings.limits)
        self.intake.on_refused = self.telemetry.refused
        self.history = History(self.store, self.registry, settings.history.raw_days)
        self.remote_write = RemoteWrite(
            settings.remote_write, self.store, self.registry, self.history, clock, self.telemetry
        )
        self._verdicts = VerdictJob(self.store, self.registry, self.live, clock.wall_ms())
        self._policies = PolicyJob(self.store, self.registry, centre_key.sign, centre_key.public)
        self.jobs = Jobs(self._jobs(), clock, self.telemetry)
        self._forgotten_at = -1
        """Version of the fleet at which what it no longer has was forgotten."""
        self.streams = Streams(self)
        self.fastapi = self._make_fastapi()

    @property
    def standing(self) -> Standing:
        """The newest verdicts; replaced on every tick."""
        return self._verdicts.standing

    def start(self) -> None:
        """Read back what was kept, then begin to take reports and to judge. Raises StoreError."""
        self.read_back()
        self.log.start()
        self.jobs.start()
        self.remote_write.start()

    def read_back(self) -> None:
        """Know again what was kept. Raises StoreError."""
        require_head(self.store)
        self.registry.refresh()
        with self.store.reading() as connection:
            self.log.restore(connection)
            for check in failing(connection):
                self.live.remember(check.host, check.check, LiveCheck(check.state, check.since_ms, check.text))
        count = restore_live(self.store, self.registry, self.admission, self.log.positions, self.live)
        log.info("collector starts", extra={"envelopes_read_back": count, "sites": len(self.registry.fleet.sites)})

    def stop_serving(self) -> None:
        """End what would keep connections open for ever; call before the server closes."""
        self.streams.close()

    def stop(self) -> None:
        self.remote_write.stop()
        self.jobs.stop()
        self.log.save_checkpoint()
        self.log.stop()
        self.store.close()
        log.info("collector stopped")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            if scope["path"] == "/v1/envelopes":
                return await self.intake.envelopes(scope, receive, send)
            if scope["path"] == "/v1/schemas":
                return await self.intake.schemas(scope, receive, send)
        if scope["type"] == "http" and scope["method"] == "HEAD":
            # What GET would say, without its body (RFC 9110): monitors of monitors ask this way.
            return await self.fastapi({**scope, "method": "GET"}, receive, _without_body(send))
        return await self.fastapi(scope, receive, send)

    def _make_fastapi(self) -> FastAPI:
        app = FastAPI(
            title="Bongsu", version=version("bongsu"), docs_url=None, redoc_url=None, openapi_url="/api/openapi.json"
        )
        protect(app, self.access)
        app.include_router(health.router(self))
        for noun in (access_api, agencies_api, fleet_api, history_api, exposition_api):
            app.include_router(noun.router(self))
        for pages in web.routers(self, self.streams):
            app.include_router(pages)
        web.install(app, self)
        return app

    def _jobs(self) -> tuple[Job, ...]:
        return table(
            self._verdicts,
            ChunkJob(self.store, self.registry, self.history, self.telemetry),
            RetentionJob(self.store, self.settings.history.raw_days, still_needed=self.remote_write.needs),
            None,
            Job("registry", 1.0, self._refresh_registry),
            Job("policies", 1.0, self._policies.step),
            Job("checkpoint", CHECKPOINT_SECONDS, self._checkpoint),
        )

    def _refresh_registry(self, _now: datetime) -> None:
        """Another process (the command line) may have changed the fleet."""
        self.registry.refresh()
        if self.registry.fleet.version != self._forgotten_at:
            self.log.call(self._forget)  # whoever read the change first, and in the thread that feeds ``live``

    def _forget(self) -> None:
        fleet = self.registry.fleet
        self.live.forget(frozenset(fleet.hosts), frozenset(fleet.agents))
        self.admission.forget(frozenset(fleet.agents))
        self._forgotten_at = fleet.version

    def _checkpoint(self, _now: datetime) -> None:
        self.log.save_checkpoint()

    def _stored_schema(self, name: bytes) -> bytes | None:
        with self.store.reading() as connection:
            return packed_schema(connection, name)

    def _schema_came(self, packed: bytes) -> None:
        self.log.call(lambda: settle(self.log, self.admission, [packed]))

    def _committed(self, envelopes: int, seconds: float) -> None:
        self.telemetry.envelopes_committed.inc(envelopes)
        self.telemetry.batch_envelopes.observe(envelopes)
        self.telemetry.commit_seconds.observe(seconds)


def _without_body(send: Send) -> Send:
    async def head(message: MutableMapping[str, Any]) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return head


def build(settings: Settings, clock: Clock) -> App:
    """A collector on the data directory's keys. Raises SettingsError, StoreError."""
    return App(settings, clock, load_centre_key(settings.data_dir), load_receiver(settings.data_dir))
