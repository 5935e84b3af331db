"""Virtual time and seeded chance behind the ports of ``agent.link.clock``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

START_MS = 1_790_000_000_000
"""True time at second 0 of a timeline, where nothing else is said."""
BOOT_SECONDS = 10.0
"""A machine's monotonic clock when its first program starts."""


class Timeline:
    """What is due next happens next; of two things due at once, the one that was planned first. Seconds from 0."""

    def __init__(self, start_ms: int = START_MS) -> None:
        self.now = 0.0
        self.start_ms = start_ms
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, moment: float, action: Callable[[], None]) -> None:
        heappush(self._waiting, (max(moment, self.now), next(self._order), action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.at(self.now + seconds, action)

    def step(self, now: float) -> float:
        """Let everything happen that is due by ``now``; the moment of what is due next (inf where nothing is)."""
        while self._waiting and self._waiting[0][0] <= now:
            self.now, _, action = heappop(self._waiting)
            action()
        self.now = max(self.now, now)
        return self._waiting[0][0] if self._waiting else float("inf")


class MachineClock:
    """One machine's clocks. ``shift_ms``: how wrong its wall clock is; ``ahead`` > 0 while it handles what arrives later."""

    def __init__(self, timeline: Timeline) -> None:
        self.shift_ms = 0
        self.ahead = 0.0
        self._timeline = timeline
        self._booted_at = timeline.now - BOOT_SECONDS

    def boot(self) -> None:
        self._booted_at = self._timeline.now - BOOT_SECONDS

    def wall_ms(self) -> int:
        return max(0, self._timeline.start_ms + int((self._timeline.now + self.ahead) * 1000) + self.shift_ms)

    def monotonic(self) -> float:
        return self._timeline.now + self.ahead - self._booted_at

    def moment(self, monotonic: float) -> float:
        """The timeline's time at which ``monotonic()`` shows this."""
        return monotonic + self._booted_at


class Spender(Protocol):
    """Who waits for an exchange."""

    @property
    def lag(self) -> float:
        """Seconds it is ahead of the timeline already."""

    def spend(self, seconds: float) -> None: ...


class BusyClock:
    """The clock of a program that waits for its exchanges: never earlier than the end of the last one."""

    def __init__(self, machine: MachineClock) -> None:
        self._machine = machine
        self._busy_until = 0.0

    def boot(self) -> None:
        self._busy_until = 0.0

    @property
    def lag(self) -> float:
        return self.monotonic() - self._machine.monotonic()

    def spend(self, seconds: float) -> None:
        self._busy_until = self.monotonic() + seconds

    def wall_ms(self) -> int:
        return self._machine.wall_ms() + round((self.monotonic() - self._machine.monotonic()) * 1000)

    def monotonic(self) -> float:
        return max(self._machine.monotonic(), self._busy_until)


class StepClock:
    """For a program whose loop and requests share one machine's clock: while it steps, its exchanges move that clock
    ahead; between its steps the clock is right again, and the program busy."""

    def __init__(self, timeline: Timeline, machine: MachineClock) -> None:
        self._timeline = timeline
        self._machine = machine
        self._busy_until = 0.0

    def boot(self) -> None:
        self._busy_until = 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        self._machine.ahead = 0.0
        try:
            yield
        finally:
            self._busy_until = self._machine.monotonic()
            self._machine.ahead = 0.0

    @property
    def lag(self) -> float:
        return self._machine.ahead

    @property
    def is_busy(self) -> bool:
        return self._busy_until > self._machine.monotonic() + 1e-5

    def spend(self, seconds: float) -> None:
        self._machine.ahead += seconds

    def monotonic(self) -> float:
        return max(self._machine.monotonic(), self._busy_until)


class SeededChance:
    def __init__(self, seed: int | str = 0) -> None:
        self._random = random.Random(seed)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)
