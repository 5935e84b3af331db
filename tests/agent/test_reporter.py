"""One host's loop: a report each interval, quick checks between, a change told at once."""

from __future__ import annotations

import itertools

from still_clock import SeededChance, StillClock

from agent.checks.base import Check, State, gauge
from agent.link.model import Record, Sample
from agent.link.offset import Offset
from agent.link.ranges import Ranges
from agent.link.spool import Spool
from agent.reporter import Reporter
from collector.world.disk import DiskModel


class Nothing:
    """A host nobody reads."""

    name = "srv1"

    def deadline(self, seconds):
        import contextlib

        return contextlib.nullcontext()


class Desk:
    def __init__(self) -> None:
        self.clock = StillClock()
        self.spool = Spool(DiskModel(), self.clock, SeededChance(), "/data", b"A" * 16)
        self.state, self.woken, self.runs = 0, 0, {"load": 0, "process:x": 0}
        checks = [
            Check("load", self.load),
            Check("process:x", self.process, interval_seconds=5.0),
        ]
        self.reporter = Reporter(
            Nothing(), "srv1.x", checks, 15.0, "full", self.spool, Offset(self.clock), self.clock, self.wake, b"seed",
            lambda durations: [gauge("agent_checks", float(len(durations)))],
        )  # fmt: skip

    def load(self, host):
        self.runs["load"] += 1
        yield gauge("node_load1", 1.0)

    def process(self, host):
        self.runs["process:x"] += 1
        yield State("process:x", self.state, "gone" if self.state else "")

    def wake(self) -> None:
        self.woken += 1

    def run(self, seconds: float) -> None:
        until = self.clock.monotonic() + seconds
        while (due := self.reporter.step(self.clock.monotonic())) <= until:
            self.clock.seconds = max(self.clock.seconds, due)
        self.clock.seconds = until

    def records(self) -> list[Sample | Record]:
        return sorted(self.spool.shelves()[0].find(Ranges([(1, 1_000)])), key=lambda record: record.seq)


def test_reports_come_each_interval_and_quick_checks_between():
    desk = Desk()
    desk.run(150)
    samples = [record for record in desk.records() if isinstance(record, Sample)]
    assert 10 <= len(samples) <= 12
    gaps = [b.taken_at_ms - a.taken_at_ms for a, b in itertools.pairwise(samples[1:])]
    assert set(gaps) == {15_000}
    assert desk.runs["load"] == len(samples) == desk.woken
    assert 28 <= desk.runs["process:x"] <= 36


def test_a_change_is_told_at_once_and_only_once():
    desk = Desk()
    desk.run(31)
    desk.state = 2
    changed_ms = desk.clock.wall_ms()
    desk.run(6)
    changes = [record for record in desk.records() if isinstance(record, Record)]
    assert changes[0].taken_at_ms - changed_ms <= 5_000
    assert changes[0].data == ["srv1.x", "process:x", 2, 0, "gone"]
    desk.run(60)
    desk.state = 0
    desk.run(60)
    assert [r.data[2:4] for r in desk.records() if isinstance(r, Record)] == [[2, 0], [0, 2]]


def test_another_policy_takes_effect_without_forgetting_states():
    desk = Desk()
    desk.state = 2
    desk.run(60)
    before = len([r for r in desk.records() if isinstance(r, Record)])
    checks = [Check("load", desk.load), Check("process:x", desk.process, interval_seconds=5.0)]
    desk.reporter.follow(checks[1:], 60.0, "core")
    looked = desk.runs["load"]
    desk.run(600)
    assert desk.runs["load"] == looked, "a check that was turned off is not run"
    samples = [record for record in desk.records() if isinstance(record, Sample)]
    assert [b.taken_at_ms - a.taken_at_ms for a, b in itertools.pairwise(samples)][-5:] == [60_000] * 5
    assert len([r for r in desk.records() if isinstance(r, Record)]) == before, "a state that stands is no news"
