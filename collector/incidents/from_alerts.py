"""Signals from alerts of any origin."""

from __future__ import annotations

from collections.abc import Iterable

from collector.alerts.alert import FiringAlert
from collector.incidents.signal import Signal


def alert_signals(alerts: Iterable[FiringAlert], hold_seconds: int) -> list[Signal]:
    """One for each; those that ended too, so that it is known when."""
    return [_signal(alert, hold_seconds * 1000) for alert in alerts]


def key_of(alert: FiringAlert) -> str:
    return f"alert:{alert.fingerprint.hex()}"


def _signal(alert: FiringAlert, hold_ms: int) -> Signal:
    systems = (("system", alert.system),) if alert.system and alert.subject != ("system", alert.system) else ()
    return Signal(
        key=key_of(alert),
        source=alert.source,
        severity=alert.severity,
        subject=alert.subject,
        site=alert.site,
        agency=alert.agency,
        reason=alert.name or alert.subject[1],
        since_ms=alert.started_at_ms,
        due_ms=alert.started_at_ms + hold_ms,
        affected=systems,
        evidence=(),
        labels=alert.labels,
        annotations=alert.annotations,
        is_active=alert.ended_at_ms is None and not alert.is_backfilled,
        ended_ms=alert.ended_at_ms,
        is_late=alert.is_backfilled,
    )
