"""Reports of one host, as a step: run the checks when the interval is over, and the quick ones in between.

The same step serves this machine and each one behind SSH; they differ in the ``Host`` that is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from agent.checks.base import Check, Host, Sample, State, gauge
from agent.checks.runner import Outcome, run_check
from agent.link.clock import Clock
from agent.link.model import StateChange
from agent.link.offset import Offset
from agent.link.spool import Spool
from agent.link.spool_record import Draft, SampleDraft, StateDraft
from agent.report import HostReports
from agent.schedule import Beat
from agent.series_order import LastSchema

Extra = Callable[[Mapping[str, float]], Iterable[Sample]]


class Reporter:
    """One thread calls ``step``. ``reports`` counts what was appended."""

    def __init__(
        self,
        host: Host,
        host_id: str,
        checks: Sequence[Check],
        interval_seconds: float,
        series_profile: str,
        spool: Spool,
        offset: Offset,
        clock: Clock,
        wake_sender: Callable[[], None],
        seed: bytes,
        extra: Extra | None = None,
        last_schema: LastSchema | None = None,
    ) -> None:
        self.reports = 0
        self._host = host
        self._checks = checks
        self._spool = spool
        self._offset = offset
        self._clock = clock
        self._wake_sender = wake_sender
        self._extra = extra
        self._made = HostReports(host_id, series_profile, last_schema)
        self._seed = seed
        self._interval_seconds = interval_seconds
        self._beat = Beat(interval_seconds, seed)
        self._quick = _quick(checks, interval_seconds)

    def follow(self, checks: Sequence[Check], interval_seconds: float, series_profile: str) -> None:
        """Other checks or another interval from now on; what is known of states stays. Called by the stepping thread."""
        self._checks = checks
        self._made.follow(series_profile)
        self._quick = _quick(checks, interval_seconds)
        if interval_seconds != self._interval_seconds:
            self._interval_seconds = interval_seconds
            self._beat = Beat(interval_seconds, self._seed, begin_at=self._clock.monotonic())

    def step(self, now: float) -> float:
        """Report if it is time, else run the quick checks that are due; returns when to call again (monotonic)."""
        if self._beat.is_due(now):
            self._beat.next_after(now)
            self._report()
            for _, beat in self._quick:
                beat.restart(now)
        else:
            self._look_quickly(now)
        return min([self._beat.due_at, *(beat.due_at for _, beat in self._quick)])

    def _report(self) -> None:
        taken_at_ms = self._clock.wall_ms()
        samples: list[Sample] = []
        states: list[State] = []
        durations: dict[str, float] = {}
        # A host that answers slowly must not turn a report into one that comes after its interval.
        with self._host.deadline(self._interval_seconds):
            for check in self._checks:
                outcome = run_check(check, self._host, self._clock)
                if outcome.state is not None:
                    durations[check.name] = outcome.duration_seconds
                _sort(outcome, samples, states)
        samples.append(gauge("agent_report_interval_seconds", self._interval_seconds))
        if self._extra is not None:
            samples += self._extra(durations)
        report = self._made.make(samples, states)
        offset_ms = self._offset.offset_ms()
        self._append(
            [
                *_drafts(report.changes, taken_at_ms, offset_ms),
                SampleDraft(report.schema, taken_at_ms, offset_ms, report.values),
            ]
        )
        self.reports += 1

    def _look_quickly(self, now: float) -> None:
        states: list[State] = []
        taken_at_ms = self._clock.wall_ms()
        for check, beat in self._quick:
            if beat.is_due(now):
                beat.restart(now)
                _sort(run_check(check, self._host, self._clock), [], states)
        changes = self._made.judge(states)
        if changes:
            self._append(_drafts(changes, taken_at_ms, self._offset.offset_ms()))

    def _append(self, drafts: list[Draft]) -> None:
        self._spool.append(drafts)
        self._wake_sender()


def _quick(checks: Sequence[Check], interval_seconds: float) -> list[tuple[Check, Beat]]:
    return [
        (check, Beat(check.interval_seconds))
        for check in checks
        if check.interval_seconds is not None and check.interval_seconds < interval_seconds
    ]


def _sort(outcome: Outcome, samples: list[Sample], states: list[State]) -> None:
    for result in outcome.results:
        if isinstance(result, Sample):
            samples.append(result)
        else:
            states.append(result)


def _drafts(changes: Iterable[StateChange], taken_at_ms: int, offset_ms: int) -> list[Draft]:
    return [StateDraft(change, taken_at_ms, offset_ms) for change in changes]
