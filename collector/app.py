"""The composition root: the only file that knows everyone.

``build`` makes a collector out of settings and a clock; ``start`` brings it to life, ``stop`` ends it in the opposite
order. As an ASGI application it looks at the path once: the two routes agents use a thousand times a minute go straight
to the intake, everything else goes to FastAPI, behind the access guard.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from agent.link.answer import DROP
from agent.link.clock import Clock
from agent.link.keys import SigningKey
from agent.link.leap import Leap
from collector import health
from collector.access import api as access_api
from collector.access import audit_api
from collector.access.guard import protect
from collector.access.identity import Access
from collector.access.job import SECONDS as AUDIT_SECONDS
from collector.access.job import AuditJob, heads_file
from collector.agencies import api as agencies_api
from collector.completeness import api as completeness_api
from collector.completeness.hours import SiteHour
from collector.completeness.job import CompletenessJob
from collector.completeness.spooled import spooled_of
from collector.errors import SettingsError
from collector.exposition import api as exposition_api
from collector.exposition.remote_write.job import RemoteWrite
from collector.exposition.sampled import SECONDS as SAMPLE_SECONDS
from collector.exposition.sampled import SampleJob
from collector.fleet import api as fleet_api
from collector.fleet.hub_contact import HubContacts
from collector.fleet.job import PolicyJob
from collector.fleet.keys import Keys, load_keys
from collector.fleet.registry import Registry
from collector.history import api as history_api
from collector.history.ageing import DAY_MS, Ageing, Days
from collector.history.job import ChunkJob
from collector.history.own import OwnSeries
from collector.history.reader import History
from collector.history.recent import Recent
from collector.history.retention import RetentionJob
from collector.history.upstream import Upstream
from collector.intake.admit import Admission
from collector.intake.admit import Refused as EnvelopeRefused
from collector.intake.body import Receive, Send, send_problem
from collector.intake.commit import Writer
from collector.intake.http import Intake
from collector.intake.nonce import Nonces
from collector.intake.reply import Answering, Custody
from collector.intake.restore import restore_live
from collector.intake.settle import settle
from collector.jobs import ByAge, Job, Jobs, table
from collector.live.board import Live, LiveCheck
from collector.live.shape import Shapes
from collector.log.positions import Positions
from collector.log.queries import packed_schema
from collector.maintenance import api as maintenance_api
from collector.maintenance.queries import SHUTDOWN, Windows
from collector.people import api as people_api
from collector.relay import enrolment_api as relay_enrolment
from collector.relay.hub import HubSide
from collector.relay.letting_go import LettingGo
from collector.relay.tidying import Tidying
from collector.response import Response
from collector.rosters import api as rosters_api
from collector.rosters import feed_api
from collector.rosters.job import SECONDS as ROSTER_SECONDS
from collector.rosters.job import RosterJob
from collector.rules import api as rules_api
from collector.rules.files import configured_rules
from collector.rules.job import SECONDS as RULE_SECONDS
from collector.rules.job import RuleJob, interests
from collector.rules.past_job import SECONDS as PAST_SECONDS
from collector.rules.past_job import PastAlertJob
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.migrate import require_head
from collector.telemetry import Telemetry
from collector.telemetry_rosters import RosterTelemetry
from collector.verdicts import api as verdicts_api
from collector.verdicts.evidence import Window
from collector.verdicts.job import VerdictJob
from collector.verdicts.queries import failing
from collector.verdicts.standing import Standing
from collector.web import routes as web
from collector.web.events import Streams

log = logging.getLogger(__name__)
CHECKPOINT_SECONDS = 60.0
CONTACTS_SECONDS = 60.0
LINK_PATHS = ("/v1/envelopes", "/v1/schemas")
ANY_AGE_DAYS = 1e9
"""A hub takes what is of any age: what is too old is for the centre to say."""


class App:
    """A running collector. Its attributes are what ``collector.services.Services`` promises to the nouns."""

    def __init__(self, settings: Settings, clock: Clock, keys: Keys) -> None:
        self.settings = settings
        self.clock = clock
        self._keys = keys
        self.store = Store(settings.store_url)
        self.telemetry = Telemetry(version("bongsu"))
        self.registry = Registry(self.store)
        self.access = Access(self.store, settings, clock)
        self.live = Live()
        positions = Positions()
        self.admission = Admission(settings.limits, Shapes(), self._stored_schema)
        raw_days = ANY_AGE_DAYS if self.is_hub else settings.history.raw_days
        self.log = Writer(self.store, self.registry, positions, self.live, clock, raw_days)
        self.log.decides = not self.is_hub
        self.log.on_schema = self._schema_came
        self.log.on_commit = self._committed
        self.nonces = Nonces(keys.own.seed)
        self.hub_contacts = HubContacts(self.store, self.registry, self.nonces, clock)
        self.upstream = HubSide(settings, keys, self.store, self.registry, clock, self.telemetry) if keys.hub else None
        if self.upstream is not None:
            self.log.receipt_of = self.upstream.custody.receipt
        answering = Answering(keys.receiver, None if self.upstream else keys.own.sign, self._custody)
        self.intake = Intake(self.registry, self.admission, self.log, answering, self.nonces, clock, settings.limits)
        self.intake.on_refused = self.telemetry.refused
        self.intake.on_shed = self.telemetry.shed
        self.leap = Leap(clock)
        self.intake.clock_trouble = self.leap.words
        self.intake.bearer = self.hub_contacts.bearer
        self.intake.on_brought = self._brought
        self.history = History(self.store, self.registry, settings.history.raw_days)
        keeps = settings.history
        self._ageing = Ageing(
            self.store, self.history, Days(keeps.raw_days, keeps.rollup_5m_days, keeps.rollup_1h_days)
        )
        self.history.coarse = self._ageing.coarse
        if keeps.upstream:
            self.history.upstream = Upstream(keeps.upstream, clock.monotonic)
        self.own_series = OwnSeries(self.store)
        self.history.sources.append(self.own_series)
        self._recent = Recent(self.store, self.registry, self.history)
        self.log.on_taken = self._recent.bring
        self.remote_write = RemoteWrite(
            settings.remote_write, self.store, self.registry, self.history, clock, self.telemetry
        )
        self.windows = Windows(self.store)
        self._completeness = CompletenessJob(self.store, self.registry, spooled_of(self.live), self.windows.spans)
        self._verdicts = VerdictJob(
            self.store, self.registry, self.live, clock.wall_ms(), self.hub_contacts.seen_ms, self._windows_now
        )
        self._sampling = SampleJob(self, self.own_series)
        self.rules = RuleJob(
            self.store,
            configured_rules(settings.rules.shipped, settings.rules.folder),
            (self._recent, self.own_series),
            self.own_series,
            clock,
            lambda: self._sampling.is_ready,
            self._refresh_recent,
            self._recent.take_in,
            self.telemetry.rules_evaluated,
        )
        self._recent.keep(interests(self.rules.groups))
        self._past_alerts = PastAlertJob(self.store, self.rules.groups, self.history.sources, self._recent.late_sites)
        self._audit = AuditJob(
            self.store, heads_file(settings.data_dir), settings.access.audit_days, keys.own.sign, self.leap.words
        )
        self.response = Response(self, self.rules)
        self.jobs = Jobs(self._jobs(), clock, self.telemetry)
        self._forgotten_at = -1
        """Version of the fleet at which what it no longer has was forgotten."""
        self.streams = Streams(self)
        self.streams.on_shown = self.response.pages.watch.seen
        self.fastapi = self._make_fastapi()

    @property
    def is_hub(self) -> bool:
        return self._keys.hub is not None

    @property
    def centre_key(self) -> SigningKey:
        """The centre's alone."""
        assert not self.is_hub, "a hub has no centre key"
        return self._keys.own

    @property
    def answer_secret(self) -> bytes:
        """What the links in pages are made from: this collector's own."""
        return self._keys.own.seed

    @property
    def _custody(self) -> Custody | None:
        return self.upstream.custody if self.upstream is not None else None

    @property
    def standing(self) -> Standing:
        """The newest verdicts; replaced on every tick."""
        return self._verdicts.standing

    @property
    def completeness(self) -> Mapping[str, SiteHour]:
        """Each site's last judged hour."""
        return self._completeness.latest

    def start(self) -> None:
        """Read back what was kept, then begin to take reports and to judge. Raises StoreError."""
        self.read_back()
        self.log.start()
        self.response.start()
        self.jobs.start()
        self.remote_write.start()
        if self.upstream is not None:
            self.upstream.start()

    def read_back(self) -> None:
        """Know again what was kept. Raises StoreError."""
        require_head(self.store)
        self.registry.refresh()
        with self.store.reading() as connection:
            self.log.restore(connection)
            for check in failing(connection):
                self.live.remember(check.host, check.check, LiveCheck(check.state, check.since_ms, check.text))
        if self.upstream is not None:
            self.upstream.restore(self.log.positions)
        self.own_series.restore(self.clock.wall_ms())
        self.rules.restore()
        self.response.restore()
        count = restore_live(self.store, self.registry, self.admission, self.log.positions, self.live)
        log.info("collector starts", extra={"envelopes_read_back": count, "sites": len(self.registry.fleet.sites)})

    def stop_serving(self) -> None:
        """End what would keep connections open for ever; call before the server closes."""
        self.streams.close()

    def stop(self) -> None:
        if self.upstream is not None:
            self.upstream.stop()
        self.remote_write.stop()
        self.jobs.stop()
        self.response.stop()
        self.log.save_checkpoint()
        self.log.stop()
        self.store.close()
        log.info("collector stopped")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            if self.upstream is not None and scope["path"] in LINK_PATHS and not self.upstream.pull.has_registry:
                # Whom it does not know it would ask to hold for an hour.
                return await send_problem(send, 503, "no_registry", "the centre was not heard yet; send again", 5)
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
        for noun in (access_api, agencies_api, fleet_api, history_api, completeness_api, exposition_api,
                     verdicts_api, maintenance_api):  # fmt: skip
            app.include_router(noun.router(self))
        for duty in (people_api, rosters_api, feed_api):
            app.include_router(duty.router(self))
        app.include_router(rules_api.router(self.rules))
        app.include_router(audit_api.router(self, self._keys.own.public))
        if self.upstream is not None:
            app.include_router(relay_enrolment.router(self, self.upstream))
        for routes in self.response.routers():
            app.include_router(routes)
        for pages in web.routers(self, self.streams):
            app.include_router(pages)
        web.install(app, self)
        return app

    def _jobs(self) -> tuple[Job, ...]:
        return table(
            self._verdicts,
            ChunkJob(self.store, self.registry, self.history, self.telemetry, self._completeness.count),
            ByAge(
                RetentionJob(
                    self.store,
                    self.settings.history.raw_days,
                    still_needed=self.remote_write.needs,
                    must_keep=self.upstream.relay.needs if self.upstream is not None else None,
                    ages=(self._ageing.step, self._age_own_series),
                ),
                self.leap,
            ),
            None,
            *self._own_jobs(),
            Job("registry", 1.0, self._refresh_registry),
            Job("checkpoint", CHECKPOINT_SECONDS, self._checkpoint),
            Job("completeness", 60.0, self._completeness.step),
            Job("own_series", SAMPLE_SECONDS, self._sampling.step),
            Job("own_chunks", 300.0, self.own_series.compact),
            Job("rules", RULE_SECONDS, self.rules.step),
            Job("audit", AUDIT_SECONDS, self._audit.step),
            Job("past_alerts", PAST_SECONDS, self._past_alerts.step),
            *self.response.jobs(),
        )

    def _own_jobs(self) -> tuple[Job, ...]:
        """What only a centre does, or only a hub."""
        if self.upstream is not None:
            letting_go = LettingGo(self.settings, self.store, self.upstream.relay, self.log, self.intake.become)
            tidying = Tidying(self.log, self.upstream.custody)
            return (
                Job("letting_go", 600.0, ByAge(letting_go, self.leap).step),
                Job("tidying", 3600.0, ByAge(tidying, self.leap).step),
            )
        rosters = RosterJob(self.store, self.registry, RosterTelemetry(self.telemetry.registry))
        policies = PolicyJob(self.store, self.registry, self.centre_key.sign, self.centre_key.public)
        return (
            Job("policies", 1.0, policies.step),
            Job("rosters", ROSTER_SECONDS, rosters.step),
            Job("hub_contacts", CONTACTS_SECONDS, self.hub_contacts.save),
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

    def _refresh_recent(self, now: datetime) -> int | None:
        """What rules look at, up to now; since when samples came late."""
        self._recent.refresh(now)
        return self._recent.late_since()

    def _age_own_series(self, now: datetime) -> int:
        keeps, now_ms = self.settings.history, round(now.timestamp() * 1000)
        thinned = self.own_series.thin(now_ms - keeps.raw_days * DAY_MS)
        return thinned + self.own_series.forget(now_ms - max(keeps.raw_days, keeps.rollup_5m_days) * DAY_MS)

    def _windows_now(self, now: datetime) -> dict[tuple[str, str], Window]:
        """Agreed work that holds now, as verdicts take it."""
        active = self.windows.active(now)
        return {subject: Window(str(row.id), row.kind == SHUTDOWN) for subject, row in active.items()}

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
        if self.upstream is not None and envelopes:
            self.upstream.wake()

    def _brought(self, hub: str, refusal: EnvelopeRefused) -> None:
        self.telemetry.brought(hub, refusal.code)
        if refusal.action == DROP and refusal.name is None:  # what the agent signed is the agent's own doing
            agent = refusal.header.agent_id.hex() if refusal.header is not None else ""
            fields = {"hub": hub, "code": refusal.code, "agent": agent, "detail": refusal.text}
            log.error("a hub brought an envelope that its agent did not send so", extra=fields)


def _without_body(send: Send) -> Send:
    async def head(message: MutableMapping[str, Any]) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return head


def build(settings: Settings, clock: Clock) -> App:
    """A collector on the data directory's keys. Raises SettingsError, StoreError."""
    keys = load_keys(settings.data_dir)
    if keys.hub is not None and not settings.upstream.url:
        raise SettingsError(
            f"{settings.data_dir} is a hub's: expected [upstream] url, the centre's URL, in its settings"
        )
    if keys.hub is None and settings.upstream.url:
        raise SettingsError(
            f"[upstream] url = {settings.upstream.url!r}, but {settings.data_dir} is a centre's: leave it out here, or "
            "make a hub in another directory with: bongsu init --hub --token T"
        )
    return App(settings, clock, keys)
