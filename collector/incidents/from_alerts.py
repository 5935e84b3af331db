"""Signals from alerts of any origin."""

from __future__ import annotations

from collections.abc import Iterable

from collector.alerts.alert import RULE, FiringAlert
from collector.incidents.signal import Signal

REPEATED = {
    "hub": frozenset({"HubDown"}),
    "site": frozenset({"SiteDown", "SiteNoData", "SiteDegraded", "UpsOnBattery"}),
    "link": frozenset({"LinkDown"}),
    "system": frozenset({"SystemDown"}),
    "host": frozenset({"HostNoData"}),
}
"""Kind of subject -> shipped rules that tell those who know only alerts what verdicts conclude about it, from the same
series. Here the verdict speaks: with its cause, and with more than one pair of eyes."""
REPEATED_VOTES = frozenset({"ProbeFailed", "ProbePacketLoss", "ProbeSlow"})
"""The same of what a single vantage saw of something that several look at."""


def alert_signals(alerts: Iterable[FiringAlert], hold_seconds: int) -> list[Signal]:
    """One for each that says something by itself; those that ended too, so that it is known when."""
    return [_signal(alert, hold_seconds * 1000) for alert in alerts if not is_quiet(alert)]


def is_quiet(alert: FiringAlert) -> bool:
    """Whether it is no disturbance: a heartbeat says ``severity="none"``, and some of our own rules repeat verdicts."""
    if dict(alert.labels).get("severity") == "none":
        return True
    if alert.source != RULE:
        return False
    return alert.name in REPEATED.get(alert.subject[0], ()) or (alert.is_vote and alert.name in REPEATED_VOTES)


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
