"""How much time the running check has left on one host; what ``Host.deadline`` stands on, here and over SSH."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent.checks.base import DeadlineExceeded
from agent.link.clock import Clock


class Deadlines:
    """Nested ends in monotonic seconds; the nearest holds. Outside any, ``default_seconds`` from the question on."""

    def __init__(self, clock: Clock, default_seconds: float) -> None:
        self._clock = clock
        self._default_seconds = default_seconds
        self._ends: list[float] = []

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        end = self._clock.monotonic() + seconds
        self._ends.append(min(end, self._ends[-1]) if self._ends else end)
        try:
            yield
        finally:
            self._ends.pop()

    @contextmanager
    def call(self) -> Iterator[None]:
        """One method of a host: inside a check its deadline holds, outside it gets the default."""
        if self._ends:
            yield
        else:
            with self.within(self._default_seconds):
                yield

    def left(self, doing: str) -> float:
        """Seconds left, more than 0; DeadlineExceeded says what was being done when they ran out."""
        assert self._ends, "left() outside call()"
        left = self._ends[-1] - self._clock.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"time was over while {doing}")
        return left
