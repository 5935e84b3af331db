"""A clock that moves when told to, and chance from a seed."""

from __future__ import annotations

import random

START_MS = 1_790_000_000_000


class StillClock:
    def __init__(self) -> None:
        self.seconds = 1000.0
        self.wall_shift_ms = START_MS - 1_000_000

    def wall_ms(self) -> int:
        return int(self.seconds * 1000) + self.wall_shift_ms

    def monotonic(self) -> float:
        return self.seconds

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds


class SeededChance:
    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)
