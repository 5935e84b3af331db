"""What the collector says of its rosters in its own metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge


class RosterTelemetry:
    """One pair of gauges for each roster."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._uncovered = Gauge(
            "bongsu_roster_uncovered",
            "1 while nobody is on duty though the roster says that somebody must be, else 0.",
            ["roster"],
            registry=registry,
        )
        self._next_hole = Gauge(
            "bongsu_roster_next_hole_timestamp_seconds",
            "When nobody will be on duty, or began not to be; absent where the coming 14 days have no hole.",
            ["roster"],
            registry=registry,
        )

    def show(self, rosters: Mapping[str, tuple[bool, datetime | None]]) -> None:
        """By roster: whether it is uncovered now, and its first hole. What is not named any more goes."""
        self._uncovered.clear()
        self._next_hole.clear()
        for roster, (is_hole, began_at) in rosters.items():
            self._uncovered.labels(roster).set(is_hole)
            if began_at is not None:
                self._next_hole.labels(roster).set(began_at.timestamp())
