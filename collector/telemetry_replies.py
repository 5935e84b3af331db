"""What the collector says of answers that came in by channels, in its own metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

NOT_UNDERSTOOD, UNKNOWN_SENDER, NOTHING_OPEN = "not_understood", "unknown_sender", "nothing_open"
WHICH, NOT_PROVEN = "which", "not_proven"
"""Outcomes besides those of ``collector.pages.answer``."""


class ReplyTelemetry:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._replies = Counter(
            "bongsu_replies_total",
            "Answers that came in by a channel's gateway, by channel and by what came of them.",
            ["channel", "outcome"],
            registry=registry,
        )

    def came(self, channel: str, outcome: str) -> None:
        self._replies.labels(channel, outcome).inc()
