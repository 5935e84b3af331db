"""What is sent on to other stores, in numbers: one set of series for each destination of the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge

SAMPLE_RESULTS = ("sent", "too_old", "out_of_order", "duplicate", "future", "invalid", "refused")
"""What became of a sample; all but ``sent`` were dropped because the destination will never take them."""
REPORT_REASONS = ("scraped", "future", "expired", "unbound", "malformed")
"""Why a report was not sent on at all."""


class Progress(Protocol):
    @property
    def pending(self) -> int: ...
    @property
    def oldest_received_ms(self) -> int | None: ...
    @property
    def last_success_ms(self) -> int | None: ...


class RemoteWriteTelemetry:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._samples = Counter(
            "bongsu_remote_write_samples",
            "Samples sent on to a destination, or dropped because it will never take them, by what became of them.",
            ["destination", "result"],
            registry=registry,
        )
        self._reports = Counter(
            "bongsu_remote_write_reports_left_out",
            "Reports not sent on to a destination, by why.",
            ["destination", "reason"],
            registry=registry,
        )
        self._lag = Gauge(
            "bongsu_remote_write_lag_seconds",
            "Since when the oldest envelope that a destination does not have yet is in the log; 0 where there is none.",
            ["destination"],
            registry=registry,
        )
        self._pending = Gauge(
            "bongsu_remote_write_pending_envelopes",
            "Envelopes of the log that a destination does not have yet, those that wait for a schema among them.",
            ["destination"],
            registry=registry,
        )
        self._last_success = Gauge(
            "bongsu_remote_write_last_success_timestamp_seconds",
            "When a destination last took samples; 0 before the first time since the start.",
            ["destination"],
            registry=registry,
        )

    def watch(self, destination: str, progress: Progress, wall_ms: Callable[[], int]) -> None:
        """Show a destination's numbers from the start."""
        for result in SAMPLE_RESULTS:
            self._samples.labels(destination, result)
        for reason in REPORT_REASONS:
            self._reports.labels(destination, reason)

        def lag() -> float:
            oldest_ms = progress.oldest_received_ms
            return max(0, wall_ms() - oldest_ms) / 1000 if oldest_ms is not None else 0.0

        self._lag.labels(destination).set_function(lag)
        self._pending.labels(destination).set_function(lambda: progress.pending)
        self._last_success.labels(destination).set_function(lambda: (progress.last_success_ms or 0) / 1000)

    def samples(self, destination: str, result: str, count: int) -> None:
        assert result in SAMPLE_RESULTS, result
        self._samples.labels(destination, result).inc(count)

    def reports(self, destination: str, reason: str, count: int) -> None:
        assert reason in REPORT_REASONS, reason
        self._reports.labels(destination, reason).inc(count)
