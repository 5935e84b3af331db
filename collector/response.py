"""The side of a collector that speaks to people: alerts become incidents, incidents become pages.

``collector.app`` makes one and gives it to whoever serves requests; each noun adds its job and its routes here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter
from sqlalchemy import func, select

from collector.alerts.alert import FiringAlert
from collector.alerts.outward import disturbance
from collector.alerts.side import AlertSide
from collector.alerts.watchdog import SECONDS as WATCHDOG_SECONDS
from collector.alerts.watchdog import Pulse, Watchdog
from collector.incidents import hub_api
from collector.incidents.from_verdicts import verdict_signals
from collector.incidents.incident import OPEN
from collector.incidents.queries import list_incidents
from collector.incidents.side import IncidentSide
from collector.incidents.signal import CRITICAL, SEVERITIES, WARNING
from collector.jobs import Job
from collector.log.tables import envelopes
from collector.pages import api as pages_api
from collector.pages import outbox_api, reply_api, verify, who_api
from collector.pages.office import PostOffice
from collector.pages.relay_receipts import SECONDS as RECEIPT_SECONDS
from collector.pages.relay_receipts import ReceiptJob
from collector.relay.island import SECONDS as ISLAND_SECONDS
from collector.relay.island import Island
from collector.store.schema import instant
from collector.store.scope import Scope

if TYPE_CHECKING:
    from collector.rules.job import RuleJob
    from collector.services import Services

MOST_HANDED = 100
"""Open incidents a hand-over note keeps."""


class Response:
    """Made after everything it listens to."""

    def __init__(self, services: Services, rules: RuleJob) -> None:
        self._services = services
        hub, minutes = services.upstream, services.settings.paging.island_minutes
        self._island = Island(services.store, services.registry, hub, minutes) if hub is not None else None
        self._alert_side = AlertSide(services, rules, own_signs=self._own_signs, disturbances=self._disturbances)
        self.alerts = self._alert_side.book
        self.silences = self._alert_side.silences
        self.silence_desk = self._alert_side.desk
        self.incidents = IncidentSide(services, self.alerts, self._island.is_acting if self._island else None)
        self.pages = PostOffice(services, self.silences.silenced, may_act=self._may_act)
        self._watchdog = self._make_watchdog()

    def jobs(self) -> tuple[Job, ...]:
        """In the order of the way: alerts, incidents, pages."""
        receipts = ReceiptJob(self._services.store, self.pages.senders, self.pages.ways.secret)
        relays = (Job("relay_receipts", RECEIPT_SECONDS, receipts.step),) if receipts.is_needed else ()
        island = (Job("island", ISLAND_SECONDS, self._island.step),) if self._island is not None else ()
        watchdog = (Job("watchdog", WATCHDOG_SECONDS, self._watchdog.step),) if self._watchdog.is_set else ()
        return (*self._alert_side.jobs(), *island, *self.incidents.jobs(), *self.pages.jobs(), *relays, *watchdog)

    def routers(self) -> tuple[APIRouter, ...]:
        return (
            *self._alert_side.routers(),
            *self.incidents.routers(),
            hub_api.router(self._services),
            pages_api.router(self._services, self.pages),
            reply_api.router(self._services, self.pages),
            outbox_api.router(self._services, self.pages),
            verify.router(self._services, self.pages),
            who_api.router(self._services),
        )

    def restore(self) -> None:
        """Know again what was kept; called once before jobs run."""
        self._alert_side.restore()
        if self._island is not None:
            self._island.restore(instant(self._services.clock.wall_ms()))

    def start(self) -> None:
        """Begin what runs by itself."""
        self._alert_side.start()
        self.pages.start()

    def stop(self) -> None:
        """End it."""
        self.pages.stop()
        self._alert_side.stop()

    def open_incidents(self, scope: Scope) -> list[tuple[str, str, int, str, int]]:
        """What is open, for a hand-over note: (``incident``, ``#12``, a state as grave as it is, reason, since_ms)."""
        with self._services.store.reading() as connection:
            found = list_incidents(connection, scope, states=OPEN, limit=MOST_HANDED)
        worst_first = sorted(found, key=lambda each: (SEVERITIES.index(each.severity), each.number))
        grave = {CRITICAL: 4, WARNING: 3}
        return [
            ("incident", f"#{i.number}", grave.get(i.severity, 1), i.reason, round(i.occurred_at.timestamp() * 1000))
            for i in worst_first
        ]

    def _own_signs(self, at: datetime) -> tuple[FiringAlert, ...]:
        """What the collector says of itself, of those who should watch, and a hub of its centre."""
        return (*self.pages.watch.alerts(at), *(self._island.alerts(at) if self._island is not None else ()))

    def _may_act(self) -> bool:
        return self._island is None or self._island.is_acting(instant(self._services.clock.wall_ms()))

    def _disturbances(self, at: datetime) -> list[FiringAlert]:
        """What verdicts say is wrong and may be told, for those who only know alerts."""
        at_ms, fleet = round(at.timestamp() * 1000), self._services.registry.fleet
        return [
            disturbance(*one.subject, one.reason, one.severity, one.since_ms, fleet)
            for one in verdict_signals(self._services.standing, fleet)
            if one.due_ms is not None and one.due_ms <= at_ms
        ]

    def _make_watchdog(self) -> Watchdog:
        services = self._services
        tasks = ("verdicts", "alerts", "incidents", "pages", "page_delivery")

        def done() -> dict[str, datetime]:
            return {task: instant(at_ms) for task, at_ms in services.telemetry.succeeded_ms.items()}

        def heard() -> tuple[int, int]:
            with services.store.reading() as connection:
                newest = connection.execute(select(func.max(envelopes.c.id))).scalar() or 0
            return sum(agent.is_current for agent in services.standing.agents.values()), newest

        pulse = Pulse(lambda: instant(services.standing.at_ms), done, tasks, heard)
        settings, send = services.settings.watchdog, self.pages.send_heartbeat
        return Watchdog(settings, pulse.trouble, send, self._alert_side.telemetry, services.clock.monotonic)
