"""Alerts as ``collector.response`` has them: the book, the silences, and everything that fills or tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter

from collector.alerts import alertmanager_api, beat_api, intake_api
from collector.alerts.alert import OWN_SOURCES, FiringAlert
from collector.alerts.beat_job import SECONDS as BEAT_SECONDS
from collector.alerts.beat_job import BeatJob
from collector.alerts.book import AlertBook
from collector.alerts.job import SECONDS as ALERT_SECONDS
from collector.alerts.job import AlertJob
from collector.alerts.silence import Silences
from collector.alerts.silence_desk import SilenceDesk
from collector.alerts.teller import Teller, Tellers
from collector.jobs import Job
from collector.store.schema import instant
from collector.telemetry_alerts import AlertTelemetry

if TYPE_CHECKING:
    from collector.rules.job import RuleJob
    from collector.services import Services

Alerts = Callable[[datetime], Iterable[FiringAlert]]


class AlertSide:
    def __init__(
        self,
        services: Services,
        rules: RuleJob,
        own_signs: Alerts = lambda _at: (),
        disturbances: Alerts = lambda _at: (),
    ) -> None:
        """``own_signs``: what parts above say of the collector and of those who should watch; ``disturbances``: what verdicts
        say is wrong and may be told, as alerts for those who know nothing else."""
        self._services = services
        self._own_parts = own_signs
        self._disturbances = disturbances
        self._beats = BeatJob(services.store, services.registry)
        self.book = AlertBook(services.store, services.registry, rules, self._parts)
        self.silences = Silences()
        self.desk = SilenceDesk(services.store, services.clock, self.book.now, self.silences, disturbances)
        self.telemetry = AlertTelemetry(services.telemetry.registry)
        self._job = AlertJob(services.store, self.book, self.silences)
        own_url = services.settings.server.url
        self._tellers = Tellers(
            Teller(target, self._own, services.clock, self.telemetry, own_url)
            for target in services.settings.alertmanagers
        )

    def jobs(self) -> tuple[Job, ...]:
        return (Job("alerts", ALERT_SECONDS, self._job.step), Job("beats", BEAT_SECONDS, self._beats.step))

    def routers(self) -> tuple[APIRouter, ...]:
        return (
            alertmanager_api.router(self._services, self.book, self.desk),
            intake_api.router(self._services, self.book),
            beat_api.router(self._services),
        )

    def restore(self) -> None:
        self._beats.restore(instant(self._services.clock.wall_ms()))
        self._job.restore()

    def start(self) -> None:
        self._tellers.start()

    def stop(self) -> None:
        self._tellers.stop()

    def _parts(self, at: datetime) -> list[FiringAlert]:
        return [*self._beats.alerts(at), *self._own_parts(at)]

    def _own(self, now_ms: int) -> list[FiringAlert]:
        """What other Alertmanagers are told; what others told us is theirs to tell."""
        at = instant(now_ms)
        return [alert for alert in self.book.now(at) if alert.source in OWN_SOURCES] + list(self._disturbances(at))
