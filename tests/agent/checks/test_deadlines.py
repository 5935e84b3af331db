"""Deadlines nest, run out, and belong to one thread each."""

from __future__ import annotations

import threading

import pytest

from agent.checks.base import DeadlineExceeded
from agent.checks.deadlines import Deadlines


class HandClock:
    now = 100.0

    def wall_ms(self) -> int:
        return 0

    def monotonic(self) -> float:
        return self.now


def test_the_nearest_end_holds_and_the_outer_one_comes_back() -> None:
    clock = HandClock()
    deadlines = Deadlines(clock, default_seconds=10)
    with deadlines.within(5), deadlines.call():
        assert deadlines.left("x") == 5
        with deadlines.within(60):
            assert deadlines.left("x") == 5
        with deadlines.within(2):
            clock.now += 2
            with pytest.raises(DeadlineExceeded, match="time was over while reading"):
                deadlines.left("reading")
        assert deadlines.left("x") == 3


def test_a_call_outside_a_check_gets_the_default() -> None:
    deadlines = Deadlines(HandClock(), default_seconds=10)
    with deadlines.call():
        assert deadlines.left("x") == 10


def test_another_thread_is_not_bound() -> None:
    deadlines = Deadlines(HandClock(), default_seconds=10)
    seen: list[float] = []

    def other() -> None:
        with deadlines.call():
            seen.append(deadlines.left("x"))

    with deadlines.within(1):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert seen == [10]
