"""The rules' tick: each group at its interval, on the newest series, its alerts and recorded series written together.

A group is evaluated at whole multiples of its interval, so that its instants are the same after a restart. What was
missed meanwhile is not made up for: an alert's timer runs on from when it began.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agent.link.clock import Clock
from collector.history.matchers import Matchers
from collector.history.own import Noted, OwnSeries
from collector.history.promql.evaluate import reach_ms
from collector.history.promql.plan import selectors
from collector.history.source import LabelSet, Source
from collector.rules.alert import Alert
from collector.rules.evaluate import Outcome, evaluate_rule, rebuilt
from collector.rules.queries import (
    AlertKey,
    evaluated_at,
    forget_rules,
    kept_alerts,
    write_alerts,
    write_evaluated,
)
from collector.rules.rule import Group
from collector.store.engine import Store

log = logging.getLogger(__name__)

SECONDS = 1.0
"""How often the job looks whether a group is due."""
REBUILD_MS = 24 * 3_600_000
"""How far back late reports move the beginning of an alert."""


@dataclass(slots=True)
class RuleState:
    """What is known of a rule since its last evaluation."""

    alerts: Mapping[LabelSet, Alert] = field(default_factory=dict)
    error: str = ""
    seconds: float = 0.0
    had_rows: bool = False


@dataclass(slots=True)
class GroupState:
    evaluated_at_ms: int = 0
    seconds: float = 0.0
    rules: list[RuleState] = field(default_factory=list)


class RuleJob:
    def __init__(
        self,
        store: Store,
        groups: Sequence[Group],
        sources: Sequence[Source],
        own: OwnSeries,
        clock: Clock,
        is_ready: Callable[[], bool] = lambda: True,
        refresh: Callable[[datetime], int | None] = lambda _now: None,
        keep_up: Callable[[datetime], None] = lambda _now: None,
        count: Callable[[int, int], None] = lambda _ok, _failed: None,
    ) -> None:
        """``refresh`` brings the sources up to date before an evaluation, and says since when samples came late;
        ``keep_up`` comes instead where nothing is due. ``count`` hears how many rules were, and how many failed."""
        self.groups = tuple(groups)
        self._store = store
        self._sources = sources
        self._own = own
        self._clock = clock
        self._is_ready = is_ready
        self._refresh = refresh
        self._keep_up = keep_up
        self._count = count
        self.states: dict[str, GroupState] = {}
        """By the key of the group. Rules' states are replaced, never edited: readers need no lock."""

    def restore(self) -> None:
        """Take timers up where they stood."""
        with self._store.transaction() as connection:
            forget_rules(connection, [alert_key(group, at) for group in self.groups for at in range(len(group.rules))])
            alerts, evaluated = kept_alerts(connection), evaluated_at(connection)
        self.states = {
            group.key: GroupState(
                evaluated.get(group.key, 0),
                rules=[
                    RuleState(alerts.get(alert_key(group, at), {}), had_rows=True) for at in range(len(group.rules))
                ],
            )
            for group in self.groups
        }

    def step(self, now: datetime) -> datetime | None:
        """Evaluate what is due."""
        if not self._is_ready():
            return None
        if len(self.states) != len(self.groups):
            self.restore()
        now_ms = round(now.timestamp() * 1000)
        due = [group for group in self.groups if _instant(group, now_ms) > self.states[group.key].evaluated_at_ms]
        late_ms = None
        if due:
            late_ms = self._refresh(now)
        else:
            self._keep_up(now)
        for group in self.groups if late_ms is not None else due:
            at_ms = _instant(group, now_ms)
            self._evaluate(group, at_ms, None if late_ms is None else max(late_ms, at_ms - REBUILD_MS), group in due)
        following = min((_instant(group, now_ms) + group.interval_ms for group in self.groups), default=None)
        return None if following is None else datetime.fromtimestamp(following / 1000, UTC)

    def _evaluate(self, group: Group, at_ms: int, late_ms: int | None, is_due: bool) -> None:
        state = self.states[group.key]
        began = self._clock.monotonic()
        noted: list[Noted] = []
        after: list[RuleState] = []
        for number, rule in enumerate(group.rules):
            before = state.rules[number]
            started = self._clock.monotonic()
            if is_due:
                outcome = evaluate_rule(rule, before.alerts, self._sources, at_ms, group.limit)
            else:
                outcome = Outcome(dict(before.alerts), error=before.error)
            if late_ms is not None and rule.is_alert and not outcome.error:
                outcome.alerts = rebuilt(group, rule, outcome.alerts, self._sources, late_ms, at_ms)
            if outcome.error and outcome.error != before.error:
                log.warning(
                    "a rule could not be evaluated; its alerts stay as they are",
                    extra={"file": group.file, "group": group.name, "rule": rule.name, "error": outcome.error},
                )
            if is_due and (outcome.rows or before.had_rows):
                noted.append(self._own.note(f"{group.key}#{number}", outcome.rows, at_ms))
            seconds = self._clock.monotonic() - started if is_due else before.seconds
            after.append(RuleState(outcome.alerts, outcome.error, seconds, bool(outcome.rows)))
        with self._store.transaction() as connection:
            for number, rule in enumerate(group.rules):
                if rule.is_alert:
                    key = alert_key(group, number)
                    write_alerts(connection, key, state.rules[number].alerts, after[number].alerts)
            if is_due:
                write_evaluated(connection, group.key, at_ms)
                self._own.write(connection, noted)
        if is_due:
            failed = sum(bool(one.error) for one in after)
            self._count(len(after) - failed, failed)
        self.states[group.key] = GroupState(
            at_ms if is_due else state.evaluated_at_ms, self._clock.monotonic() - began, after
        )


def interests(groups: Sequence[Group]) -> list[tuple[Matchers, int]]:
    """What rules ask for, and how far back they look."""
    return [(one.matchers, reach_ms(one)) for group in groups for rule in group.rules for one in selectors(rule.expr)]


def alert_key(group: Group, number: int) -> AlertKey:
    """Which rule an alert's rows belong to; several rules of a group may have one name."""
    name = group.rules[number].name
    before = sum(rule.name == name for rule in group.rules[:number])
    return group.key, f"{name}#{before}" if before else name


def _instant(group: Group, now_ms: int) -> int:
    """The newest instant a group is evaluated at."""
    return now_ms // group.interval_ms * group.interval_ms
