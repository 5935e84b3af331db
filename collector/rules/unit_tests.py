"""Prometheus' own unit tests of rules, run by our evaluator: ``promtool test rules`` and we take the same files.

https://prometheus.io/docs/prometheus/2.42/configuration/unit_testing_rules/. Samples stand on a grid that begins at the
epoch; every group is evaluated at each ``evaluation_interval``; alerts that fire and answers to expressions are compared
at the times a test names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from collector.history.promql.evaluate import Evaluator, Late
from collector.history.promql.memory import Memory
from collector.history.promql.parse import BadQuery, parse
from collector.history.promql.plan import Selector
from collector.history.promql.values import ExecutionError, Scalar, series_text
from collector.history.source import LabelSet, TooMuch
from collector.rules.alert import FIRING, Alert
from collector.rules.evaluate import evaluate_rule
from collector.rules.files import BadRules, load_rules, read_duration_ms, read_yaml
from collector.rules.rule import Group
from collector.store.scope import EVERYTHING

_REPEATED = re.compile(
    r"(?P<from>[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|inf|nan))(?P<step>[-+](?:\d[\d.]*(?:e[-+]?\d+)?))?x(?P<n>\d+)",
    re.IGNORECASE,
)
_MINUTE_MS = 60_000


def run_test_file(path: Path) -> list[str]:
    """What fails in a file of tests; nothing where all pass. Raises BadRules where it cannot be read."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise BadRules([f"{path}: cannot be read ({getattr(why, 'strerror', None) or why})"]) from why
    document = read_yaml(text, path.name)
    if not isinstance(document, dict):
        raise BadRules([f"{path.name}: expected rule_files and tests"])
    files = [found for pattern in document.get("rule_files") or [] for found in _files(path.parent, pattern)]
    interval_ms = _duration(path.name, document.get("evaluation_interval") or "1m")
    groups = load_rules(files, interval_ms)
    order = document.get("group_eval_order") or []
    groups.sort(key=lambda group: order.index(group.name) if group.name in order else len(order))
    problems: list[str] = []
    for number, given in enumerate(document.get("tests") or [], 1):
        name = given.get("name") or f"test {number}"
        try:
            problems += [f"{path.name}: {name}: {why}" for why in _Test(groups, given, interval_ms, path.name).run()]
        except (BadQuery, ValueError) as why:
            raise BadRules([f"{path.name}: {name}: {why}"]) from why
    return problems


def _files(folder: Path, pattern: str) -> list[Path]:
    """Of a pattern with ``*`` in its last part, as promtool takes them."""
    whole = folder / pattern
    found = sorted(whole.parent.glob(whole.name))
    if not found:
        raise BadRules([f"{whole}: no such rule file"])
    return found


def _duration(where: str, text: str) -> int:
    try:
        return read_duration_ms(text)
    except (ValueError, OverflowError) as why:
        raise BadRules([f"{where}: {text!r}: expected a duration such as 1m"]) from why


@dataclass
class _Test:
    """One entry of ``tests``."""

    groups: Sequence[Group]
    given: Mapping[str, Any]
    evaluation_ms: int
    file: str
    memory: Memory = field(default_factory=Memory)
    alerts: dict[tuple[str, int], dict[LabelSet, Alert]] = field(default_factory=dict)
    recorded: dict[tuple[str, int], set[LabelSet]] = field(default_factory=dict)

    def run(self) -> list[str]:
        waiting = sorted(self._samples(), key=lambda one: one[0])
        by_time: dict[int, list[Mapping[str, Any]]] = {}
        for one in self.given.get("alert_rule_test") or []:
            by_time.setdefault(_duration(self.file, one["eval_time"]), []).append(one)
        asked = [(_duration(self.file, one["eval_time"]), one) for one in self.given.get("promql_expr_test") or []]
        problems: list[str] = []
        last = max([*by_time, *(at for at, _ in asked)], default=0)
        for at_ms in range(0, last + 1, self.evaluation_ms):
            while waiting and waiting[0][0] <= at_ms:
                when, labels, value = waiting.pop(0)
                self.memory.add(labels, when, value)
            self._evaluate(at_ms)
            for when in sorted(by_time):
                if at_ms <= when < at_ms + self.evaluation_ms:
                    for one in by_time[when]:
                        problems += self._compare_alerts(one)
        for when, labels, value in waiting:
            self.memory.add(labels, when, value)
        for at_ms, one in asked:
            problems += self._compare_samples(at_ms, one)
        return problems

    def _samples(self) -> Iterator[tuple[int, LabelSet, float | None]]:
        interval_ms = _duration(self.file, self.given.get("interval") or "1m")
        for one in self.given.get("input_series") or []:
            labels = read_series(one["series"])
            for place, value in read_values(one["values"]):
                yield place * interval_ms, labels, value

    def _evaluate(self, at_ms: int) -> None:
        for group in self.groups:
            for number, rule in enumerate(group.rules):
                key = (group.key, number)
                outcome = evaluate_rule(rule, self.alerts.get(key, {}), [self.memory], at_ms, group.limit)
                if outcome.error:
                    raise BadQuery(f"{rule.name}: {outcome.error}")
                self.alerts[key] = outcome.alerts
                now = {labels for labels, _ in outcome.rows}
                for labels in self.recorded.get(key, set()) - now:
                    self.memory.add(labels, at_ms, None)
                for labels, value in outcome.rows:
                    self.memory.add(labels, at_ms, value)
                self.recorded[key] = now

    def _compare_alerts(self, one: Mapping[str, Any]) -> list[str]:
        name = one["alertname"]
        found = [
            (dict(alert.labels), dict(alert.annotations))
            for group in self.groups
            for number, rule in enumerate(group.rules)
            if rule.is_alert and rule.name == name
            for alert in self.alerts[group.key, number].values()
            if alert.state == FIRING
        ]
        expected = [
            ({**(each.get("exp_labels") or {}), "alertname": name}, dict(each.get("exp_annotations") or {}))
            for each in one.get("exp_alerts") or []
        ]
        if sorted(map(repr, map(_sorted, found))) == sorted(map(repr, map(_sorted, expected))):
            return []
        return [f"{name} at {one['eval_time']}: expected {expected or 'no alert'}, found {found or 'no alert'}"]

    def _compare_samples(self, at_ms: int, one: Mapping[str, Any]) -> list[str]:
        try:
            found = Evaluator([self.memory], EVERYTHING, np.array([at_ms], np.int64)).evaluate(parse(one["expr"]))
        except (ExecutionError, TooMuch, Late) as why:
            return [f"{one['expr']} at {one['eval_time']}: {why}"]
        got: dict[LabelSet, float]
        if isinstance(found, Scalar):
            got = {(): float(found.values[0])}
        else:
            got = {
                labels: float(value)
                for labels, value, here in zip(found.labels, found.values[:, 0], found.here[:, 0], strict=True)
                if here
            }
        expected: dict[LabelSet, float] = {
            read_series(each["labels"]) if each.get("labels") else (): float(each["value"])
            for each in one.get("exp_samples") or []
        }
        if got.keys() == expected.keys() and all(_same(got[labels], value) for labels, value in expected.items()):
            return []
        return [f"{one['expr']} at {one['eval_time']}: expected {_text(expected)}, found {_text(got)}"]


def _sorted(alert: tuple[dict[str, str], dict[str, str]]) -> list[list[tuple[str, str]]]:
    return [sorted((name, text) for name, text in part.items() if text) for part in alert]


def _same(one: float, other: float) -> bool:
    return (one != one and other != other) or math.isclose(one, other, rel_tol=1e-9)


def _text(samples: Mapping[LabelSet, float]) -> str:
    return ", ".join(f"{series_text(labels)} {value!r}" for labels, value in sorted(samples.items())) or "nothing"


def read_series(text: str) -> LabelSet:
    """``up{job="node"}`` -> its labels. Raises BadQuery."""
    found = parse(text) if text.strip() != "{}" else None
    if found is None:
        return ()
    if not isinstance(found, Selector) or found.range_ms is not None or any(one.op != "=" for one in found.matchers):
        raise BadQuery(f'{text!r}: expected a series such as up{{job="node"}}')
    return tuple(sorted((one.label, one.value) for one in found.matchers if one.value))


def read_values(text: str) -> list[tuple[int, float | None]]:
    """``0+10x3 _ stale NaN`` -> values with their places in the row; None is an end. Raises ValueError."""
    found: list[tuple[int, float | None]] = []
    at = 0
    for word in text.split():
        if re.fullmatch(r"_(x\d+)?", word):
            at += int(word[2:] or 1)
            continue
        values: list[float | None]
        if word == "stale":
            values = [None]
        elif repeated := _REPEATED.fullmatch(word):
            first, step = float(repeated["from"]), float(repeated["step"] or 0)
            values = [first + step * count for count in range(int(repeated["n"]) + 1)]
        else:
            values = [float(word)]
        found += enumerate(values, at)
        at += len(values)
    return found
