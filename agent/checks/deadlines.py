"""How much time the running check has left on one host; what ``Host.deadline`` stands on, here and over SSH."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from agent.checks.base import DeadlineExceeded
from agent.link.clock import Clock


class Deadlines:
    """Nested ends in monotonic seconds, of each thread its own; the nearest holds.

    Outside any, a question has ``default_seconds``.
    """

    def __init__(self, clock: Clock, default_seconds: float) -> None:
        self._clock = clock
        self._default_seconds = default_seconds
        self._of_thread = threading.local()

    @property
    def _ends(self) -> list[float]:
        try:
            ends: list[float] = self._of_thread.ends
        except AttributeError:
            ends = self._of_thread.ends = []
        return ends

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        ends = self._ends
        end = self._clock.monotonic() + seconds
        ends.append(min(end, ends[-1]) if ends else end)
        try:
            yield
        finally:
            ends.pop()

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
        ends = self._ends
        assert ends, "left() outside call()"
        left = ends[-1] - self._clock.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"time was over while {doing}")
        return left
