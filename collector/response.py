"""The side of a collector that speaks to people: alerts become incidents, incidents become pages.

``collector.app`` makes one and gives it to whoever serves requests; each noun adds its job and its routes here.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter

from collector.jobs import Job
from collector.pages import api as pages_api
from collector.pages.office import PostOffice

if TYPE_CHECKING:
    from collector.rules.job import RuleJob
    from collector.services import Services


class Response:
    """Made after everything it listens to."""

    def __init__(self, services: Services, rules: RuleJob) -> None:
        self._services = services
        self._rules = rules
        self.silences = Silences()
        self.pages = PostOffice(services, self.silences.silenced)
        self.alerts = AlertBook(services.store, services.registry, rules, self._own_alerts)
        self._alert_job = AlertJob(services.store, self.alerts, self.silences)

    def jobs(self) -> tuple[Job, ...]:
        """In the order of the way: alerts, incidents, pages."""
        return (Job("alerts", ALERT_SECONDS, self._alert_job.step), *self.pages.jobs())

    def routers(self) -> tuple[APIRouter, ...]:
        return (*self._alert_side.routers(),)

    def restore(self) -> None:
        """Know again what was kept; called once before jobs run."""
        self._alert_side.restore()

    def start(self) -> None:
        """Begin what runs by itself."""
        self._alert_side.start()

    def start(self) -> None:
        """Begin what runs by itself."""
        self.pages.start()

    def stop(self) -> None:
        """End it."""
        self.pages.stop()

    def _own_alerts(self, at: datetime) -> tuple[FiringAlert, ...]:
        """What the collector says of itself and of those who should watch."""
        return self.pages.watch.alerts(at)
