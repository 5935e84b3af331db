"""Alerts in and out, in numbers: one set of series for each Alertmanager of the settings."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

RESULTS = ("sent", "failed", "refused")
"""``failed``: it was away and is told again; ``refused``: it will never take them."""


class AlertTelemetry:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.told = Counter(
            "bongsu_alertmanager_alerts",
            "Alerts sent to another Alertmanager, by what became of them.",
            ["alertmanager", "result"],
            registry=registry,
        )
        self.lag = Gauge(
            "bongsu_alertmanager_lag_seconds",
            "For how long another Alertmanager has not been told the oldest change it does not know; 0 where it knows all.",
            ["alertmanager"],
            registry=registry,
        )
        self.success = Gauge(
            "bongsu_alertmanager_last_success_timestamp_seconds",
            "When another Alertmanager last took alerts; 0 before the first time since the start.",
            ["alertmanager"],
            registry=registry,
        )
        self.watchdog = Counter(
            "bongsu_watchdog_signals",
            "Signs of life to the receiver outside, by what became of them.",
            ["result"],
            registry=registry,
        )
        self.watchdog_success = Gauge(
            "bongsu_watchdog_last_success_timestamp_seconds",
            "When the receiver outside last took a sign of life; 0 before the first time since the start.",
            registry=registry,
        )

    def known(self, alertmanager: str) -> None:
        """Show an Alertmanager's numbers from the start."""
        for result in RESULTS:
            self.told.labels(alertmanager, result)
        self.lag.labels(alertmanager)
        self.success.labels(alertmanager)
