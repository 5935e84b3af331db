"""What the collector says of its pages in its own metrics."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SENT, RETRIED, FAILED, SUPERSEDED, POISONED = "sent", "retried", "failed", "superseded", "poisoned"
RESULTS = (SENT, RETRIED, FAILED, SUPERSEDED, POISONED)
"""What came of a try. ``poisoned``: a fault of ours; it is tried again and by the next channel."""


class PageTelemetry:
    def __init__(self, registry: CollectorRegistry, channels: Iterable[str] = ()) -> None:
        self._pages = Counter(
            "bongsu_pages_total",
            "Tries to send a page, by channel and by what came of it.",
            ["channel", "result"],
            registry=registry,
        )
        self._failures = Counter(
            "bongsu_page_failures_total",
            "Tries to send a page that failed, by channel and reason.",
            ["channel", "reason"],
            registry=registry,
        )
        self._failing = Gauge(
            "bongsu_page_channel_failing",
            "1 while a channel failed three times in a row, else 0.",
            ["channel"],
            registry=registry,
        )
        self._seconds = Histogram(
            "bongsu_page_delivery_seconds",
            "From a page being due to its leaving.",
            buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600),
            registry=registry,
        )
        self._oldest = Gauge(
            "bongsu_page_oldest_waiting_seconds",
            "For how long the page that is due the longest has been waiting to leave; 0 where none waits.",
            registry=registry,
        )
        for channel in channels:
            self._failing.labels(channel).set(0)
            for result in RESULTS:
                self._pages.labels(channel, result)

    def tried(self, channel: str, result: str, reason: str = "") -> None:
        self._pages.labels(channel, result).inc()
        if reason:
            self._failures.labels(channel, reason).inc()

    def left(self, seconds: float) -> None:
        self._seconds.observe(max(0.0, seconds))

    def health(self, channel: str, is_failing: bool) -> None:
        self._failing.labels(channel).set(is_failing)

    def waiting(self, seconds: float) -> None:
        self._oldest.set(max(0.0, seconds))
