"""One alerting rule's way from one evaluation to the next: pure, so that every course of events is a row in a table.

The states are Prometheus': pending while it has not lasted for ``for``, firing, and gone; ``keep_firing_for`` bridges a
condition that comes and goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from collector.history.promql.values import ExecutionError, without_name
from collector.history.source import LabelSet
from collector.rules.rule import Rule

PENDING, FIRING, RESOLVED = "pending", "firing", "resolved"
KEEP_RESOLVED_MS = 15 * 60_000
"""For how long a resolved alert is remembered, so that whoever pages hears that it is over."""


class Alert(NamedTuple):
    """An alert of one rule: ``active_at_ms`` is when its condition began, ``fired_at_ms`` when it had lasted."""

    labels: LabelSet
    annotations: LabelSet
    state: str
    value: float
    active_at_ms: int
    fired_at_ms: int | None = None
    keep_firing_since_ms: int | None = None
    resolved_at_ms: int | None = None


Alerts = Mapping[LabelSet, Alert]


def found_alerts(rule: Rule, series: list[tuple[LabelSet, float]], at_ms: int) -> dict[LabelSet, Alert]:
    """What the rule's expression says is wrong at one instant. Raises ExecutionError where two would be one alert."""
    found: dict[LabelSet, Alert] = {}
    for labels, value in series:
        own = dict(without_name(labels))
        named = {name: text.write(own, value) for name, text in rule.labels.items()}
        merged = {**own, **named, "alertname": rule.name}
        key = tuple(sorted((name, text) for name, text in merged.items() if text))
        if key in found:
            raise ExecutionError("vector contains metrics with the same labelset after applying alert labels")
        notes = tuple((name, text.write(own, value)) for name, text in sorted(rule.annotations.items()))
        found[key] = Alert(key, notes, PENDING, value, at_ms)
    return found


def advance(rule: Rule, before: Alerts, found: Alerts, at_ms: int) -> dict[LabelSet, Alert]:
    """The rule's alerts after an evaluation that found these."""
    after: dict[LabelSet, Alert] = {}
    for key, alert in found.items():
        known = before.get(key)
        if known is not None and known.state != RESOLVED:
            alert = known._replace(value=alert.value, annotations=alert.annotations, keep_firing_since_ms=None)
        after[key] = _lasting(rule, alert, at_ms)
    for key, alert in before.items():
        if key not in found and (left := _left(rule, alert, at_ms)) is not None:
            after[key] = left
    return after


def _lasting(rule: Rule, alert: Alert, at_ms: int) -> Alert:
    if alert.state == PENDING and at_ms - alert.active_at_ms >= rule.for_ms:
        return alert._replace(state=FIRING, fired_at_ms=at_ms)
    return alert


def _left(rule: Rule, alert: Alert, at_ms: int) -> Alert | None:
    """An alert whose condition is not found any more."""
    if alert.state == PENDING:
        return None
    if alert.state == RESOLVED:
        resolved = alert.resolved_at_ms if alert.resolved_at_ms is not None else at_ms
        return alert if at_ms - resolved <= KEEP_RESOLVED_MS else None
    since = alert.keep_firing_since_ms if alert.keep_firing_since_ms is not None else at_ms
    if rule.keep_firing_for_ms and at_ms - since < rule.keep_firing_for_ms:
        return alert._replace(keep_firing_since_ms=since)
    return alert._replace(state=RESOLVED, resolved_at_ms=at_ms)


def alert_series(alerts: Alerts) -> list[tuple[LabelSet, float]]:
    """``ALERTS`` and ``ALERTS_FOR_STATE`` as Prometheus writes them."""
    found: list[tuple[LabelSet, float]] = []
    for key, alert in alerts.items():
        if alert.state == RESOLVED:
            continue
        found.append((tuple(sorted([*key, ("__name__", "ALERTS"), ("alertstate", alert.state)])), 1.0))
        found.append((tuple(sorted([*key, ("__name__", "ALERTS_FOR_STATE")])), float(alert.active_at_ms // 1000)))
    return found


def move_back(before: Alert, active_at_ms: int, at_ms: int, for_ms: int) -> Alert:
    """The alert as it would be had the late report been there in time: it began earlier, and may have lasted by now."""
    if before.state == RESOLVED or active_at_ms >= before.active_at_ms:
        return before
    moved = before._replace(active_at_ms=active_at_ms)
    if moved.state == PENDING and at_ms - active_at_ms >= for_ms:
        return moved._replace(state=FIRING, fired_at_ms=at_ms)
    return moved
