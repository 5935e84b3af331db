"""The side of a collector that speaks to people: alerts become incidents, incidents become pages.

``collector.app`` makes one and gives it to whoever serves requests; each noun adds its job and its routes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from collector.alerts.book import AlertBook
from collector.alerts.silence import Silences
from collector.jobs import Job

if TYPE_CHECKING:
    from collector.rules.job import RuleJob
    from collector.services import Services


class Response:
    """Made after everything it listens to."""

    def __init__(self, services: Services, rules: RuleJob) -> None:
        self._services = services
        self._rules = rules
        self.alerts = AlertBook(services.store, services.registry, rules)
        self.silences = Silences()

    def jobs(self) -> tuple[Job, ...]:
        """In the order of the way: alerts, incidents, pages."""
        return ()

    def routers(self) -> tuple[APIRouter, ...]:
        return ()

    def restore(self) -> None:
        """Know again what was kept; called once before jobs run."""
        self.alerts.restore()

    def stop(self) -> None:
        """End what runs by itself."""
