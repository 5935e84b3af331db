"""What fired and ended only in reports that came late is kept for one digest, and what was known or lasts is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from centre import HandClock

from collector.history.own import OwnSeries
from collector.history.promql.memory import Memory
from collector.history.source import LabelSet
from collector.rules.files import read_rules
from collector.rules.job import RuleJob
from collector.rules.past import Known, past_alerts
from collector.rules.past_job import LONGEST_MS, QUIET_MS, PastAlertJob
from collector.rules.past_queries import (
    kept_late_reports,
    mark_told,
    past_alerts_between,
    untold_past_alerts,
)
from collector.store.engine import Store

MINUTE = 60_000
START = 1_790_000_040_000 // MINUTE * MINUTE
(GROUP,) = read_rules(
    """
groups:
- name: one
  interval: 1m
  rules:
  - alert: Hot
    expr: hot > 0
    for: 3m
    keep_firing_for: 1m
    labels: {severity: warning}
    annotations: {summary: "{{ $labels.site }}: {{ $value }}"}
  - alert: AllHot
    expr: sum(hot) > 0
""",
    "t.yaml",
)
RULE = GROUP.rules[0]
LABELS: LabelSet = (("__name__", "hot"), ("site", "abuja"))
KEY: LabelSet = (("alertname", "Hot"), ("severity", "warning"), ("site", "abuja"))


@pytest.mark.parametrize(
    ("minutes", "known", "stretches"),
    [
        ([], Known(), []),
        ([5, 6, 7], Known(), []),  # shorter than ``for``
        ([5, 6, 7, 8], Known(), [(5, 8, 9)]),
        ([5, 7, 9, 11], Known(), [(5, 9, 12)]),  # gaps that keep_firing_for bridges
        ([5, 6, 7, 8, 12, 13, 14, 15], Known(), [(5, 8, 9), (12, 15, 16)]),
        ([5, 6, 7, 8, 12, 13, 14, 15], Known(firing=[13]), [(5, 8, 9)]),  # the second was found at its time
        ([5, 6, 7, 8], Known(firing=[10]), []),
        ([5, 6, 7, 8], Known(pending=[5]), [(5, 8, 9)]),  # its beginning was seen, then came the cut
        ([5, 6, 7, 8], Known(pending=[10]), []),  # it goes on
        ([16, 17, 18, 19, 20], Known(), []),  # not over when last looked at
    ],
)
def test_stretches(minutes: list[int], known: Known, stretches: list[tuple[int, int, int]]) -> None:
    seen = {LABELS: {minute * MINUTE: 2.0 + minute for minute in minutes}}
    at_ms = Known([at * MINUTE for at in known.firing], [at * MINUTE for at in known.pending])
    found = past_alerts(GROUP, RULE, seen, 20 * MINUTE, {KEY: at_ms})
    assert [
        (one.active_at_ms // MINUTE, one.fired_at_ms // MINUTE, one.ended_at_ms // MINUTE) for one in found
    ] == stretches
    if found:
        assert found[0].labels == KEY
        assert dict(found[0].annotations) == {"summary": f"abuja: {2 + stretches[0][1]}"}


@dataclass
class Late:
    """Both of the rules' jobs, on series a test writes by hand."""

    store: Store
    memory: Memory = field(default_factory=Memory)
    came: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = HandClock(START)
        self.own = OwnSeries(self.store)
        self.own.restore(START)
        self.rules = RuleJob(self.store, [GROUP], [self.memory, self.own], self.own, self.clock)
        self.rules.restore()
        self.restart()

    def restart(self) -> None:
        self.job = PastAlertJob(self.store, [GROUP], [self.memory, self.own], self.take)

    def take(self) -> dict[str, tuple[int, int]]:
        found, self.came = self.came, {}
        return found

    def backlog(self, site: str, values: dict[int, float]) -> None:
        for minute, value in values.items():
            self.memory.add((("__name__", "hot"), ("site", site)), START + minute * MINUTE, value)
        self.came[site] = (START + min(values) * MINUTE, START + max(values) * MINUTE)

    def look(self, minute: float) -> list[tuple[str, int, int]]:
        """Steps at one instant until there is nothing to do; what no digest has told."""
        now = datetime.fromtimestamp((START + minute * MINUTE) / 1000, UTC)
        for _ in range(10):
            if self.job.step(now) is None:
                break
        with self.store.reading() as connection:
            return [
                (
                    dict(row.alert.labels)["site"],
                    (row.alert.active_at_ms - START) // MINUTE,
                    (row.alert.ended_at_ms - START) // MINUTE,
                )
                for row in untold_past_alerts(connection)
            ]


def test_a_cut_is_looked_at_once_it_is_quiet_and_told_once(store: Store) -> None:
    late = Late(store)
    late.backlog("abuja", {minute: float(10 <= minute < 16) for minute in range(60)})
    late.backlog("dubai", dict.fromkeys(range(60), 0.0))
    assert late.look(100) == []  # more may be on its way
    late.restart()  # what is to be looked at is kept
    assert late.look(100 + QUIET_MS / MINUTE) == [("abuja", 10, 16)]
    with store.transaction() as connection:
        assert not kept_late_reports(connection)
        (row,) = untold_past_alerts(connection)
        assert (row.group, row.rule) == ("t.yaml;one", "Hot")
        assert mark_told(connection, [row.id], START) == 1
        assert mark_told(connection, [row.id], START) == 0
    # The rest of the same stretch comes later: it is made whole, and not told again.
    late.memory = Memory()
    late.restart()
    late.backlog("abuja", {minute: float(10 <= minute < 20) for minute in range(40)})
    late.look(200)
    assert late.look(203) == []
    with store.reading() as connection:
        (row,) = past_alerts_between(connection, START, START + 60 * MINUTE)
    assert (row.alert.ended_at_ms - START) // MINUTE == 20


def test_what_was_found_at_its_time_is_not_past(store: Store) -> None:
    late = Late(store)
    for minute in range(30):
        late.memory.add((("__name__", "hot"), ("site", "dubai")), START + minute * MINUTE, float(5 <= minute < 12))
        late.clock.now_ms = START + minute * MINUTE + 500
        late.rules.step(datetime.fromtimestamp(late.clock.now_ms / 1000, UTC))
    late.backlog("abuja", {minute: float(5 <= minute < 12) for minute in range(30)})
    late.came["dubai"] = late.came["abuja"]
    late.look(40)
    assert late.look(45) == [("abuja", 5, 12)]


def test_a_backlog_without_end_is_looked_at_in_parts(store: Store) -> None:
    late = Late(store)
    late.backlog("abuja", {minute: float(minute < 9) for minute in range(20)})
    for minute in range(100, 100 + LONGEST_MS // MINUTE):
        assert late.look(minute) == []
        late.came["abuja"] = (START, START + 20 * MINUTE)
    assert late.look(100 + LONGEST_MS // MINUTE) == [("abuja", 0, 9)]
