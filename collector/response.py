"""The side of a collector that speaks to people: alerts become incidents, incidents become pages.

``collector.app`` makes one and gives it to whoever serves requests; each noun adds its job and its routes here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter

from collector.alerts.alert import FiringAlert
from collector.alerts.side import AlertSide
from collector.incidents.side import IncidentSide
from collector.jobs import Job
from collector.pages import api as pages_api
from collector.pages import reply_api
from collector.pages.office import PostOffice
from collector.pages.relay_receipts import SECONDS as RECEIPT_SECONDS
from collector.pages.relay_receipts import ReceiptJob

if TYPE_CHECKING:
    from collector.rules.job import RuleJob
    from collector.services import Services


class Response:
    """Made after everything it listens to."""

    def __init__(self, services: Services, rules: RuleJob) -> None:
        self._services = services
        self._alert_side = AlertSide(services, rules, own_signs=self._own_signs)
        self.alerts = self._alert_side.book
        self.silences = self._alert_side.silences
        self.incidents = IncidentSide(services, self.alerts)
        self.pages = PostOffice(services, self.silences.silenced)

    def jobs(self) -> tuple[Job, ...]:
        """In the order of the way: alerts, incidents, pages."""
        receipts = ReceiptJob(self._services.store, self.pages.senders, self.pages.ways.secret)
        relays = (Job("relay_receipts", RECEIPT_SECONDS, receipts.step),) if receipts.is_needed else ()
        return (*self._alert_side.jobs(), *self.incidents.jobs(), *self.pages.jobs(), *relays)

    def routers(self) -> tuple[APIRouter, ...]:
        return (
            *self._alert_side.routers(),
            *self.incidents.routers(),
            pages_api.router(self._services, self.pages),
            reply_api.router(self._services, self.pages),
        )

    def restore(self) -> None:
        """Know again what was kept; called once before jobs run."""
        self._alert_side.restore()

    def start(self) -> None:
        """Begin what runs by itself."""
        self._alert_side.start()
        self.pages.start()

    def stop(self) -> None:
        """End it."""
        self.pages.stop()
        self._alert_side.stop()

    def _own_signs(self, at: datetime) -> tuple[FiringAlert, ...]:
        """What the collector says of itself and of those who should watch."""
        return self.pages.watch.alerts(at)
