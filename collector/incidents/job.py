"""The tick of incidents: signals to rows, and what silence makes of them.

A look reads without a lock and costs no write where nothing changed. What it leaves is written in one transaction, which
first sees that nobody wrote since: of several collectors one wins, and the others look again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import datetime, timedelta

from collector.escalation.policy import Plan
from collector.escalation.policy_apply import current_plan
from collector.fleet.registry import Registry
from collector.incidents.course import Course, Home, Outcome
from collector.incidents.course_queries import Overtaken, close_old, read_book, read_homes, read_known, write_look
from collector.incidents.from_past import past_signals
from collector.incidents.handed_queries import adopt, give_up_waiting
from collector.incidents.queries import count_open_at
from collector.incidents.signal import VERDICT, Signal
from collector.incidents.silence_job import act_on_silence
from collector.incidents.stillness import Basis, Stillness, next_by_itself, read_pulse
from collector.incidents.telemetry import IncidentTelemetry
from collector.rules.past_queries import mark_told, untold_past_alerts
from collector.store.engine import Store

log = logging.getLogger(__name__)
SECONDS = 1.0
CLOSE_EVERY = timedelta(minutes=5)
MOST_PAST = 500
"""Past alerts of one look; the next takes more."""
PLAN_EVERY = timedelta(seconds=10)
Signals = Callable[[datetime, Plan], tuple[Sequence[Signal], bool]]
"""What holds at an instant, from verdicts and alerts; and whether verdicts can not be told yet."""
IsWorkedOn = Callable[[str, str], bool]
"""Of a kind and an id: whether agreed work goes on there, so that verdicts say nothing of it."""


class IncidentJob:
    def __init__(
        self,
        store: Store,
        registry: Registry,
        signals: Signals,
        telemetry: IncidentTelemetry | None = None,
        *,
        tells_past: bool = True,
        is_worked_on: IsWorkedOn = lambda _kind, _id: False,
    ) -> None:
        """``tells_past``: whether alerts that were over before anybody could know go into a digest here; a hub leaves
        that to its centre, which gets the same reports."""
        self._store = store
        self._registry = registry
        self._signals = signals
        self._telemetry = telemetry
        self._tells_past = tells_past
        self._is_worked_on = is_worked_on
        self._stillness = Stillness()
        self._homes: dict[str, Home] = {}
        self._version = -1
        self._plan: Plan | None = None
        self._plan_at: datetime | None = None
        self._closed_at: datetime | None = None
        self.open_at: dict[tuple[str, str, str], int] | None = None
        """Open incidents by severity, agency and site as of the last look; None before the first."""

    def step(self, now: datetime) -> datetime | None:
        """One look; again at once where another was first."""
        plan = self._plan_of(now)
        with self._store.reading() as connection:
            pulse = read_pulse(connection, now)
        if pulse.is_due:
            act_on_silence(self._store, now)
        signals, is_unjudged = self._signals(now, plan)
        basis = Basis(pulse, tuple(signals), is_unjudged, self._registry.fleet.version, plan, self._worked())
        try:
            if not self._stillness.holds(basis, now):
                self._stillness.over()
                self._look(basis, now)
        except Overtaken as why:
            self._version = -1
            log.info("another collector was first with incidents", extra={"why": str(why)})
            return now + timedelta(milliseconds=200)
        if self._closed_at is None or now - self._closed_at >= CLOSE_EVERY:
            self._closed_at = now
            with self._store.transaction() as connection:
                give_up_waiting(connection, self._registry.fleet, plan, now)
                if plan.close_seconds:
                    close_old(connection, now - timedelta(seconds=plan.close_seconds), now)
        return None

    def _look(self, basis: Basis, now: datetime) -> None:
        plan = basis.plan
        with self._store.reading() as connection:
            version, memory = read_book(connection)
            if version != self._version:
                self._homes, self._version = read_homes(connection), version
            known = read_known(
                connection,
                {home.uid for home in self._homes.values()},
                now,
                timedelta(seconds=plan.reopen_seconds),
            )
            self.open_at = count_open_at(connection)
            past = untold_past_alerts(connection, MOST_PAST) if self._tells_past else []
        before = deepcopy(memory)
        outcome = Course(plan, self._registry.fleet, memory, now).look(
            known,
            self._homes,
            [*basis.signals, *past_signals(past, self._registry.fleet)],
            is_unjudged=basis.is_unjudged,
            worked=self._worked(),
        )
        if outcome.drafts or outcome.moved or outcome.late or memory != before or past:
            with self._store.transaction() as connection:
                numbers = write_look(connection, version, outcome, memory, now)
                adopt(connection, numbers.values(), self._registry.fleet, now)
                if mark_told(connection, (row.id for row in past), round(now.timestamp() * 1000)) < len(past):
                    raise Overtaken("a past alert was made whole meanwhile; looked at again")
            self._follow(outcome, version + 1)
            self._say(outcome, numbers)
        else:
            self._stillness.found_nothing(basis, now, next_by_itself(memory, known, self._homes, plan))
        if self._telemetry is not None:
            by_severity: Counter[str] = Counter()
            for (severity, _, _), count in self.open_at.items():
                by_severity[severity] += count
            self._telemetry.show(by_severity, sum(draft.is_new for draft in outcome.drafts))

    def _worked(self) -> frozenset[str]:
        keys = [key for key, home in self._homes.items() if home.source == VERDICT]
        return frozenset(key for key in keys if self._is_worked_on(*key.split(":", 1)))

    def _follow(self, outcome: Outcome, version: int) -> None:
        """Know where signals belong now without reading ten thousand rows again."""
        for moved in outcome.moved:
            if moved.signal is not None:
                self._homes[moved.key] = Home(moved.uid, moved.signal.source, moved.signal.severity)
        gone = {moved.key: moved.uid for moved in outcome.moved if moved.signal is None}
        for key, uid in gone.items():
            if key in self._homes and self._homes[key].uid == uid:
                del self._homes[key]
        self._version = version

    def _say(self, outcome: Outcome, numbers: dict[str, int]) -> None:
        for draft in outcome.drafts:
            number = numbers[draft.uid]
            for kind, data in draft.events:
                if kind not in ("joined", "came_back"):
                    log.info(
                        "incident changed",
                        extra={"incident": number, "key": draft.incident.key, "change": kind, **_plain(data)},
                    )

    def _plan_of(self, now: datetime) -> Plan:
        if self._plan is None or self._plan_at is None or not timedelta(0) <= now - self._plan_at < PLAN_EVERY:
            with self._store.reading() as connection:
                self._plan = current_plan(connection)
            self._plan_at = now
        return self._plan


def _plain(data: object) -> dict[str, object]:
    assert isinstance(data, dict)
    return {name: value for name, value in data.items() if name in ("severity", "priority", "reason", "count")}
