"""Asks the rules about the time reports came late for, once no more of them come: what was wrong then and is over?

One rule a step, beside the rules' own tick, so that a week's backlog delays nothing that is wrong now. What is still to be
looked at stands in rows: a restart looks again, and finds the same.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from agent.link.names import ABSENT_WORD
from collector.history.matchers import Matchers, matcher
from collector.history.promql.evaluate import Evaluator, Late
from collector.history.promql.values import ExecutionError, Scalar
from collector.history.source import LabelSet, SeriesData, Source, TooMuch
from collector.rules.alert import FIRING
from collector.rules.job import alert_key
from collector.rules.past import SLACK_INTERVALS, Known, PastAlert, past_alerts
from collector.rules.past_queries import (
    LateReports,
    add_past_alerts,
    forget_late_reports,
    forget_past_alerts,
    kept_late_reports,
    note_late_reports,
)
from collector.rules.rule import Group, Rule
from collector.store.engine import Store
from collector.store.scope import EVERYTHING, Scope

log = logging.getLogger(__name__)

SECONDS = 5.0
QUIET_MS = 120_000
"""So long after the last late report nothing more is on its way."""
LONGEST_MS = 30 * 60_000
"""A backlog that takes longer to come is looked at in parts."""
FURTHEST_MS = 7 * 86_400_000
KEPT_MS = 92 * 86_400_000
INSTANTS = 720
"""Looked at in one evaluation."""

Came = Mapping[str, tuple[int, int]]


class _Task(NamedTuple):
    group: Group
    number: int
    sites: tuple[str, ...]
    from_ms: int
    to_ms: int


class OfSites:
    """A source cut to the series of some sites."""

    def __init__(self, source: Source, sites: Sequence[str]) -> None:
        self._source = source
        self._only = matcher("site", "=~", "|".join(re.escape(site) for site in sites))

    def select(
        self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope, newest_only: bool = False
    ) -> list[SeriesData]:
        return self._source.select((*matchers, self._only), from_ms, to_ms, scope, newest_only)

    def label_sets(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> list[LabelSet]:
        return self._source.label_sets((*matchers, self._only), from_ms, to_ms, scope)


class PastAlertJob:
    def __init__(
        self, store: Store, groups: Sequence[Group], sources: Sequence[Source], came: Callable[[], Came]
    ) -> None:
        """``came``: by site, the oldest and the newest instant reports came late for since this was last asked.
        ``sources``: of all that is kept, what the rules recorded among it."""
        self._store = store
        self._groups = tuple(groups)
        self._sources = sources
        self._came = came
        self._todo: list[_Task] = []
        self._looking: Mapping[str, LateReports] = {}
        self._found = 0

    def step(self, now: datetime) -> datetime | None:
        """Take down what came late; look at one rule where it is time to."""
        now_ms = round(now.timestamp() * 1000)
        came = self._came()
        if came:
            with self._store.transaction() as connection:
                note_late_reports(connection, came, now_ms)
        if not self._todo:
            self._plan(now_ms)
        if not self._todo:
            return None
        task = self._todo.pop()
        found = self._look(task, now_ms)
        with self._store.transaction() as connection:
            self._found += add_past_alerts(connection, alert_key(task.group, task.number), found, now_ms)
            if not self._todo:
                forget_late_reports(connection, self._looking)
                forget_past_alerts(connection, now_ms - KEPT_MS)
        if self._todo:
            return now
        log.info("late reports were looked at", extra={"sites": len(self._looking), "past_alerts": self._found})
        return None

    def _plan(self, now_ms: int) -> None:
        with self._store.reading() as connection:
            late = kept_late_reports(connection)
        self._found = 0
        self._looking = {
            site: one
            for site, one in late.items()
            if now_ms - one.seen_ms >= QUIET_MS or now_ms - one.first_seen_ms >= LONGEST_MS
        }
        if not self._looking:
            return
        sites = tuple(sorted(self._looking))
        from_ms = max(min(one.from_ms for one in self._looking.values()), now_ms - FURTHEST_MS)
        to_ms = max(one.to_ms for one in self._looking.values())
        self._todo = [
            _Task(group, number, sites, from_ms - rule.for_ms, to_ms)
            for group in self._groups
            for number, rule in enumerate(group.rules)
            if rule.is_alert
        ]
        self._todo.reverse()

    def _look(self, task: _Task, now_ms: int) -> list[PastAlert]:
        group, rule = task.group, task.group.rules[task.number]
        first = task.from_ms // group.interval_ms * group.interval_ms
        slack_ms = rule.keep_firing_for_ms + SLACK_INTERVALS * group.interval_ms
        last = min(task.to_ms + slack_ms, now_ms) // group.interval_ms * group.interval_ms
        instants = np.arange(first, last + 1, group.interval_ms, dtype=np.int64)
        seen: dict[LabelSet, dict[int, float]] = {}
        sources = [OfSites(source, task.sites) for source in self._sources]
        try:
            for start in range(0, len(instants), INSTANTS):
                _evaluate(rule, sources, instants[start : start + INSTANTS], task.sites, seen)
        except (ExecutionError, TooMuch, Late) as why:
            log.warning(
                "a rule could not be asked about late reports; what it would have found is in no digest",
                extra={"file": group.file, "group": group.name, "rule": rule.name, "error": str(why)},
            )
            return []
        if not seen:
            return []
        return past_alerts(group, rule, seen, last, self._known(rule, first, last + slack_ms + 1))

    def _known(self, rule: Rule, from_ms: int, to_ms: int) -> dict[LabelSet, Known]:
        """Instants the rule's alerts were there at, by the alert's labels."""
        asked = (matcher("__name__", "=", "ALERTS"), matcher("alertname", "=", rule.name))
        found: dict[LabelSet, Known] = {}
        for source in self._sources:
            for series in source.select(asked, from_ms, to_ms, EVERYTHING):
                labels = dict(series.labels)
                labels.pop("__name__")
                state = labels.pop("alertstate", "")
                key = tuple(sorted(labels.items()))
                at = series.times[series.words != ABSENT_WORD].tolist()
                before = found.get(key, Known())
                found[key] = (
                    before._replace(firing=[*before.firing, *at])
                    if state == FIRING
                    else before._replace(pending=[*before.pending, *at])
                )
        return found


def _evaluate(
    rule: Rule,
    sources: Sequence[Source],
    grid: np.ndarray[tuple[int], np.dtype[np.int64]],
    sites: Sequence[str],
    seen: dict[LabelSet, dict[int, float]],
) -> None:
    """Adds what the rule's expression says at these instants of series that name one of these sites."""
    result = Evaluator(sources, EVERYTHING, grid).evaluate(rule.expr)
    if isinstance(result, Scalar):
        return
    for row, labels in enumerate(result.labels):
        if dict(labels).get("site") not in sites:
            continue  # a sum over more than was looked at
        for at in np.flatnonzero(result.here[row]).tolist():
            seen.setdefault(labels, {})[int(grid[at])] = float(result.values[row, at])
