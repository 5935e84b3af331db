"""Time and chance as arguments. Nothing else in the product asks the machine for either."""

from __future__ import annotations

import os
import threading
import time
from typing import Protocol


class Clock(Protocol):
    def wall_ms(self) -> int:
        """Milliseconds since the epoch, as this machine believes; may jump."""

    def monotonic(self) -> float:
        """Seconds that only grow; timers stand on it."""


class Chance(Protocol):
    def bytes(self, count: int) -> bytes: ...

    def uniform(self, low: float, high: float) -> float: ...


class SystemClock:
    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class SystemChance:
    def bytes(self, count: int) -> bytes:
        return os.urandom(count)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * (int.from_bytes(os.urandom(7), "little") / (1 << 56))


class Waiter:
    """Sleeping that can be cut short: ``wait`` returns True when woken, False when the time is over."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def wait(self, seconds: float) -> bool:
        woken = self._event.wait(max(0.0, seconds))
        self._event.clear()
        return woken

    def wake(self) -> None:
        self._event.set()
