"""An alert from one evaluation to the next, as a table: when its condition holds, and what it is then."""

from __future__ import annotations

import pytest

from collector.history.promql.values import ExecutionError
from collector.history.source import LabelSet
from collector.rules.alert import Alert, advance, alert_series, found_alerts, move_back
from collector.rules.files import read_rules
from collector.rules.rule import Rule

MINUTE = 60_000


def rule(hold: str = "0m", keep: str = "0m", labels: str = "{severity: critical}") -> Rule:
    text = f"""
groups:
- name: g
  rules:
  - alert: Down
    expr: up == 0
    for: {hold}
    keep_firing_for: {keep}
    labels: {labels}
    annotations: {{summary: "{{{{ $labels.site }}}} {{{{ $value }}}}"}}
"""
    return read_rules(text, "t.yaml")[0].rules[0]


SERIES: LabelSet = (("__name__", "up"), ("site", "abuja"))


def course(one: Rule, holds: str) -> str:
    """Its state after each minute: ``.`` none, ``p`` pending, ``F`` firing, ``r`` resolved."""
    alerts: dict[LabelSet, Alert] = {}
    states = ""
    for minute, held in enumerate(holds):
        found = found_alerts(one, [(SERIES, 0.0)] if held == "x" else [], minute * MINUTE)
        alerts = advance(one, alerts, found, minute * MINUTE)
        states += {"pending": "p", "firing": "F", "resolved": "r"}[next(iter(alerts.values())).state] if alerts else "."
    return states


@pytest.mark.parametrize(
    ("hold", "keep", "holds", "states"),
    [
        ("0m", "0m", "..xx..", "..FFrr"),
        ("2m", "0m", ".xxxx.", ".ppFFr"),
        ("2m", "0m", ".xx.xxx.", ".pp.ppFr"),  # a break begins anew
        ("1m", "3m", "xx....xx", "pFFFFrpF"),
        ("1m", "3m", "xx..xx....", "pFFFFFFFFr"),  # bridged: it never ended
        ("0m", "0m", "x" + "." * 18, "F" + "r" * 16 + ".."),  # remembered for a quarter of an hour
        ("0m", "0m", "x.x", "FrF"),
    ],
)
def test_course(hold: str, keep: str, holds: str, states: str) -> None:
    assert course(rule(hold, keep), holds) == states


def test_an_alert_keeps_when_it_began_and_takes_the_newest_words() -> None:
    one = rule("1m")
    alerts = advance(one, {}, found_alerts(one, [(SERIES, 0.0)], 0), 0)
    alerts = advance(one, alerts, found_alerts(one, [(SERIES, 7.0)], MINUTE), MINUTE)
    (alert,) = alerts.values()
    assert (alert.active_at_ms, alert.fired_at_ms, alert.value) == (0, MINUTE, 7.0)
    assert dict(alert.annotations) == {"summary": "abuja 7"}
    assert dict(alert.labels) == {"alertname": "Down", "severity": "critical", "site": "abuja"}


def test_what_prometheus_writes_as_series() -> None:
    one = rule("5m")
    alerts = advance(one, {}, found_alerts(one, [(SERIES, 0.0)], 120_000), 120_000)
    rows = {dict(labels)["__name__"]: (dict(labels).get("alertstate"), value) for labels, value in alert_series(alerts)}
    assert rows == {"ALERTS": ("pending", 1.0), "ALERTS_FOR_STATE": (None, 120.0)}
    assert alert_series(advance(one, alerts, {}, 180_000)) == []


def test_two_alerts_of_the_same_labels_are_an_error() -> None:
    with pytest.raises(ExecutionError, match="same labelset after applying alert labels"):
        found_alerts(rule(labels="{instance: one}"), [((("instance", "a"),), 1.0), ((("instance", "b"),), 1.0)], 0)


@pytest.mark.parametrize(
    ("began", "now", "state", "active"),
    [
        (0, 4, "pending", 0),  # began earlier, has not lasted five minutes yet
        (0, 5, "firing", 0),
        (3, 4, "pending", 3),
        (9, 4, "pending", 4),  # never later
    ],
)
def test_a_late_report_moves_the_beginning_back(began: int, now: int, state: str, active: int) -> None:
    one = rule("5m")
    alerts = advance(one, {}, found_alerts(one, [(SERIES, 0.0)], now * MINUTE), now * MINUTE)
    moved = move_back(next(iter(alerts.values())), began * MINUTE, now * MINUTE, one.for_ms)
    assert (moved.state, moved.active_at_ms) == (state, active * MINUTE)
