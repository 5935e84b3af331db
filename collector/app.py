"""The composition root: the only file that knows everyone.

``build`` makes a collector out of settings and a clock; ``start`` brings it to life, ``stop`` ends it in the opposite
order. What answers requests is in ``collector.asgi``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from datetime import datetime
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from agent.link.clock import Clock
from agent.link.keys import SigningKey
from agent.link.leap import Leap
from collector.access.identity import Access
from collector.access.job import SECONDS as AUDIT_SECONDS
from collector.access.job import AuditJob, heads_file
from collector.asgi import Dispatch, make_fastapi
from collector.completeness.hours import SiteHour
from collector.completeness.job import CompletenessJob
from collector.completeness.spooled import spooled_of
from collector.errors import SettingsError
from collector.exposition.remote_write.job import RemoteWrite
from collector.exposition.sampled import SECONDS as SAMPLE_SECONDS
from collector.exposition.sampled import SampleJob
from collector.fleet.hub_contact import HubContacts
from collector.fleet.job import PolicyJob
from collector.fleet.keys import Keys, load_keys
from collector.fleet.registry import Registry
from collector.history.job import ChunkJob
from collector.history.retention import RetentionJob
from collector.history.side import HistorySide
from collector.intake.admit import Admission
from collector.intake.body import Receive, Send
from collector.intake.brought import note_brought
from collector.intake.commit import Writer
from collector.intake.http import Intake
from collector.intake.nonce import Nonces
from collector.intake.reply import Answering
from collector.intake.restore import restore_live
from collector.intake.settle import settle
from collector.jobs import ByAge, Job, Jobs, table
from collector.live.board import Live, LiveCheck
from collector.live.shape import Shapes
from collector.log.positions import Positions
from collector.log.queries import packed_schema
from collector.maintenance.queries import SHUTDOWN, Windows
from collector.people.queries import zone_of_login
from collector.relay.hub import HubSide
from collector.relay.jobs import hub_jobs
from collector.response import Response
from collector.rosters.job import SECONDS as ROSTER_SECONDS
from collector.rosters.job import RosterJob
from collector.rules.job import RuleJob
from collector.rules.side import RuleSide
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.migrate import require_head
from collector.telemetry import Telemetry
from collector.telemetry_rosters import RosterTelemetry
from collector.verdicts.evidence import Window
from collector.verdicts.job import VerdictJob
from collector.verdicts.queries import failing
from collector.verdicts.standing import Standing
from collector.web.events import Streams

log = logging.getLogger(__name__)
CHECKPOINT_SECONDS = 60.0
CONTACTS_SECONDS = 60.0
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
        self.access.zone_of_login = zone_of_login
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
        custody = self.upstream.custody if self.upstream is not None else None
        answering = Answering(keys.receiver, None if self.upstream else keys.own.sign, custody)
        self.intake = Intake(self.registry, self.admission, self.log, answering, self.nonces, clock, settings.limits)
        self.intake.on_refused = self.telemetry.refused
        self.intake.on_shed = self.telemetry.shed
        self.leap = Leap(clock)
        self.intake.clock_trouble = self.leap.words
        self.intake.bearer = self.hub_contacts.bearer
        self.intake.on_brought = partial(note_brought, self.telemetry)
        self._kept = HistorySide(settings.history, self.store, self.registry, clock)
        self.history = self._kept.past
        self.history.told_interval_ms = self.live.interval_ms
        self.log.on_taken = self._kept.recent.bring
        self.remote_write = RemoteWrite(
            settings.remote_write, self.store, self.registry, self.history, clock, self.telemetry
        )
        self.windows = Windows(self.store, lambda: self.registry.fleet)
        self._completeness = CompletenessJob(self.store, self.registry, spooled_of(self.live), self.windows.spans)
        asked = (self.hub_contacts.seen_ms, self._windows_now, self.log.turned_away)
        self._verdicts = VerdictJob(self.store, self.registry, self.live, clock.wall_ms(), *asked)
        self._sampling = SampleJob(self, self._kept.own)
        self._rules = RuleSide(
            settings.rules, self.store, self._kept, clock, self.telemetry, lambda: self._sampling.is_ready
        )
        self._audit = AuditJob(
            self.store, heads_file(settings.data_dir), settings.access.audit_days, keys.own.sign, self.leap.words
        )
        self.response = Response(self, self.rules)
        self.jobs = Jobs(self._jobs(), clock, self.telemetry)
        self._forgotten_at = -1
        """Version of the fleet at which what it no longer has was forgotten."""
        self.streams = Streams(self)
        self.streams.on_shown = self.response.pages.watch.seen
        self._dispatch = Dispatch(lambda: self.fastapi, self.intake, self.upstream)

    @property
    def is_hub(self) -> bool:
        return self._keys.hub is not None

    @cached_property
    def fastapi(self) -> FastAPI:
        """Every route but the intake's. Half of a start goes into it, so what nobody asks over HTTP is spared it."""
        return make_fastapi(self, self.rules, self.streams, self._keys.own.public)

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
    def rules(self) -> RuleJob:
        return self._rules.now

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
        self._dispatch.prepare()
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
        self._kept.own.restore(self.clock.wall_ms())
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
        await self._dispatch(scope, receive, send)

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
                    ages=(self._kept.age,),
                    others={"pages": self.response.pages.forget},
                ),
                self.leap,
            ),
            None,
            *self._own_jobs(),
            Job("registry", 1.0, self._refresh_registry),
            Job("checkpoint", CHECKPOINT_SECONDS, lambda _now: self.log.save_checkpoint()),
            Job("completeness", 60.0, self._completeness.step),
            Job("own_series", SAMPLE_SECONDS, self._sampling.step),
            Job("own_chunks", 300.0, self._kept.own.compact),
            Job("audit", AUDIT_SECONDS, self._audit.step),
            *self._rules.jobs(),
            *self.response.jobs(),
        )

    def _own_jobs(self) -> tuple[Job, ...]:
        """What only a centre does, or only a hub."""
        if self.upstream is not None:
            return hub_jobs(self.settings, self.store, self.upstream, self.log, self.intake.become, self.leap)
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

    def _windows_now(self, now: datetime) -> dict[tuple[str, str], Window]:
        """Agreed work that holds now, as verdicts take it."""
        active = self.windows.active(now)
        return {
            subject: Window(str(held.id), held.kind == SHUTDOWN, round(held.began_at.timestamp() * 1000))
            for subject, held in active.items()
        }

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
