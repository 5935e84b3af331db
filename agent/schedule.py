"""When things are due, on the monotonic clock. Pure.

Each agent has its own phase in the interval, from its id, so that a power cut that starts a thousand machines at once
does not make them report at once for ever. The first report does not wait for the phase.
"""

from __future__ import annotations

from zlib import crc32


class Beat:
    """Moments ``interval_seconds`` apart at a phase of its own; those that were slept through are left out."""

    def __init__(self, interval_seconds: float, seed: bytes = b"", begin_at: float = 0.0) -> None:
        self._interval = interval_seconds
        self._phase = interval_seconds * (crc32(seed) / (1 << 32)) if seed else 0.0
        self.due_at = begin_at

    def restart(self, now: float) -> None:
        """Due again after one whole interval from ``now``, whatever the phase."""
        self.due_at = now + self._interval

    def is_due(self, now: float) -> bool:
        return now >= self.due_at

    def next_after(self, now: float) -> float:
        """Set and return the next moment after ``now``; never closer than half an interval to the one just done."""
        rounds = (now + self._interval / 2 - self._phase) // self._interval + 1
        self.due_at = rounds * self._interval + self._phase
        return self.due_at
