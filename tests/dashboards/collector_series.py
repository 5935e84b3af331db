"""What the collector says of itself, a hub's numbers among it: the text of its own registry with one child of everything, as
``/metrics`` ends with."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from prometheus_client.parser import text_string_to_metric_families

from collector.incidents.telemetry import IncidentTelemetry
from collector.telemetry import RelayNumbers, Telemetry
from collector.telemetry_alerts import AlertTelemetry
from collector.telemetry_pages import PageTelemetry
from collector.telemetry_replies import ReplyTelemetry
from collector.telemetry_rosters import RosterTelemetry


def text() -> str:
    telemetry = Telemetry("0.0.0")
    registry = telemetry.registry
    IncidentTelemetry(registry).show({"critical": 1}, 2)
    AlertTelemetry(registry).known("central")
    pages = PageTelemetry(registry, ["email"])
    pages.left(2.0)
    ReplyTelemetry(registry).came("email", "acknowledged")
    RosterTelemetry(registry).show({"room": (False, datetime(2026, 11, 22, tzinfo=UTC))})
    RelayNumbers(registry)
    telemetry.brought("mea", "bad_signature")
    waiting = SimpleNamespace(pending=3, oldest_received_ms=0, last_success_ms=None)
    telemetry.remote_write.watch("store", waiting, lambda: 60_000)
    telemetry.job_known("verdicts")
    for _ in range(2):
        telemetry.job_ran("verdicts", 0.1, round(datetime.now(UTC).timestamp() * 1000))
    return telemetry.text().decode()


def labels() -> dict[str, frozenset[str]]:
    """Labels by the name of a series, without ``le``."""
    found: dict[str, frozenset[str]] = {}
    for family in text_string_to_metric_families(text()):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, frozenset()) | sample.labels.keys() - {"le"}
    return found
