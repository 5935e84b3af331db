"""Incidents as ``collector.response`` has them: the job on what verdicts and alerts say, and the routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter

from collector.alerts.alert import FiringAlert
from collector.alerts.book import AlertBook
from collector.escalation.policy import Plan
from collector.incidents import api
from collector.incidents.from_alerts import alert_signals
from collector.incidents.from_verdicts import is_unjudged, is_worked_on, verdict_signals
from collector.incidents.job import SECONDS, IncidentJob
from collector.incidents.signal import Signal
from collector.incidents.telemetry import IncidentTelemetry
from collector.jobs import Job

if TYPE_CHECKING:
    from collector.services import Services


class IncidentSide:
    def __init__(
        self, services: Services, alerts: AlertBook, is_acting: Callable[[datetime], bool] | None = None
    ) -> None:
        """``is_acting``: whether this collector opens incidents now; a hub only does while its centre is out of reach."""
        self._services = services
        self._alerts = alerts
        self._is_acting = is_acting or (lambda _now: not services.is_hub)
        self._heard: tuple[tuple[FiringAlert, ...], int] = ((), -1)
        self._of_alerts: Sequence[Signal] = ()
        """What was heard as signals: the same alerts are the same signals again."""
        telemetry = IncidentTelemetry(services.telemetry.registry)
        self.job = IncidentJob(
            services.store,
            services.registry,
            self._signals,
            telemetry,
            tells_past=not services.is_hub,
            is_worked_on=lambda kind, id_: is_worked_on(services.standing, kind, id_),
        )

    @property
    def open_at(self) -> Mapping[tuple[str, str, str], int] | None:
        """Open incidents by severity, agency and site; None before the first look."""
        return self.job.open_at

    def jobs(self) -> tuple[Job, ...]:
        return (Job("incidents", SECONDS, self._step),)

    def routers(self) -> tuple[APIRouter, ...]:
        return (api.router(self._services),)

    def _step(self, now: datetime) -> datetime | None:
        return self.job.step(now) if self._is_acting(now) else None

    def _signals(self, now: datetime, plan: Plan) -> tuple[Sequence[Signal], bool]:
        standing = self._services.standing
        heard = (self._alerts.now(now), plan.alert_hold_seconds)
        if heard != self._heard:
            self._heard, self._of_alerts = heard, alert_signals(*heard)
        told = verdict_signals(standing, self._services.registry.fleet, plan.hold_seconds)
        return [*told, *self._of_alerts], is_unjudged(standing)
