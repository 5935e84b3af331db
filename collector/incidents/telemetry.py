"""Metrics of incidents."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from collector.incidents.signal import SEVERITIES


class IncidentTelemetry:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge(
            "bongsu_incidents_open", "Incidents triggered or acknowledged", ["severity"], registry=registry
        )
        self._opened = Counter("bongsu_incidents_opened_total", "Incidents opened by this collector", registry=registry)
        self.show({}, 0)

    def show(self, counts: Mapping[str, int], opened: int) -> None:
        for severity in SEVERITIES:
            self._open.labels(severity).set(counts.get(severity, 0))
        self._opened.inc(opened)
