"""Evaluates a group: its rules in order, at one instant, on sources of series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from collector.history.promql.evaluate import Evaluator, Late
from collector.history.promql.values import ExecutionError, Scalar, with_label, without_name
from collector.history.source import LabelSet, Source, TooMuch
from collector.rules.alert import FIRING, PENDING, Alert, Alerts, advance, alert_series, found_alerts, move_back
from collector.rules.rule import Group, Rule
from collector.store.scope import EVERYTHING

Row = tuple[LabelSet, float]
"""A series' labels, ``__name__`` among them, and its value."""


@dataclass(slots=True)
class Outcome:
    """What one evaluation of a rule came to."""

    alerts: dict[LabelSet, Alert] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    """Series to be recorded."""
    error: str = ""
    """Why it could not be evaluated; then alerts stay as they were."""


def evaluate_rule(
    rule: Rule,
    before: Alerts,
    sources: Sequence[Source],
    at_ms: int,
    limit: int = 0,
    is_late: Callable[[], bool] = lambda: False,
) -> Outcome:
    """One rule at one instant."""
    try:
        found = _series(rule, sources, at_ms, is_late)
        if limit and len(found) > limit:
            raise ExecutionError(f"exceeded limit of {limit} with {len(found)} series")
        if rule.is_alert:
            alerts = advance(rule, before, found_alerts(rule, found, at_ms), at_ms)
            return Outcome(alerts, alert_series(alerts))
        return Outcome(rows=_recorded(rule, found))
    except (ExecutionError, TooMuch, Late) as why:
        return Outcome(dict(before), alert_series(before), str(why))


def _series(rule: Rule, sources: Sequence[Source], at_ms: int, is_late: Callable[[], bool]) -> list[Row]:
    grid = np.array([at_ms], np.int64)
    found = Evaluator(sources, EVERYTHING, grid, is_late=is_late).evaluate(rule.expr)
    if isinstance(found, Scalar):
        return [((), float(found.values[0]))]
    return [
        (labels, value)
        for labels, value, here in zip(
            found.labels, found.values[:, 0].tolist(), found.here[:, 0].tolist(), strict=True
        )
        if here
    ]


def _recorded(rule: Rule, found: list[Row]) -> list[Row]:
    rows = []
    for labels, value in found:
        own = dict(without_name(labels))
        named = without_name(labels)
        for name, text in rule.labels.items():
            named = with_label(named, name, text.write(own, value))
        rows.append((with_label(named, "__name__", rule.name), value))
    if len({labels for labels, _ in rows}) < len(rows):
        raise ExecutionError("vector contains metrics with the same labelset after applying rule labels")
    return rows


def rebuilt(
    group: Group, rule: Rule, before: Alerts, sources: Sequence[Source], from_ms: int, at_ms: int
) -> dict[LabelSet, Alert]:
    """Alerts that are active now, with their beginnings as late reports show them.

    The rule is evaluated again over the time reports were late for. Only what is wrong now is an alert: its beginning
    moves back to where its condition has held ever since.
    """
    alerts = dict(before)
    active = {key for key, alert in before.items() if alert.state in (PENDING, FIRING)}
    if not active:
        return alerts
    first = at_ms - (at_ms - from_ms) // group.interval_ms * group.interval_ms
    grid = np.arange(first, at_ms + 1, group.interval_ms, dtype=np.int64)
    try:
        found = Evaluator(sources, EVERYTHING, grid).evaluate(rule.expr)
    except (ExecutionError, TooMuch, Late):
        return alerts
    if isinstance(found, Scalar):
        return alerts
    since: dict[LabelSet, int] = {}
    for row, labels in enumerate(found.labels):
        here = found.here[row]
        missing = np.flatnonzero(~here)
        start = int(missing[-1]) + 1 if len(missing) else 0
        if start < len(grid):
            (key,) = found_alerts(rule, [(labels, float(found.values[row, -1]))], at_ms)
            since[key] = int(grid[start])
    for key in active & since.keys():
        alerts[key] = move_back(alerts[key], since[key], at_ms, rule.for_ms)
    return alerts
