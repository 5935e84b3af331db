"""Has this machine's clock leapt? What deletes or refuses by age must not believe a date that came from nowhere.

Wall and monotonic time pass at the same rate. Where one is a day ahead of the other since the last look, somebody set
the clock (or the machine slept for days): until the process is started anew, or the clock is back, dates are not
believed. Small steps and drift are followed.
"""

from __future__ import annotations

from agent.link.clock import Clock

MOST_MS = 24 * 3_600_000


class Leap:
    """Cheap enough to be asked with each request; any thread may."""

    def __init__(self, clock: Clock, most_ms: int = MOST_MS) -> None:
        self._clock = clock
        self._most_ms = most_ms
        self._ahead_ms = self._ahead()

    def words(self) -> str:
        """In words, by how much the clock leapt; empty where it did not."""
        ahead_ms = self._ahead()
        leapt_ms = ahead_ms - self._ahead_ms
        if abs(leapt_ms) <= self._most_ms:
            self._ahead_ms = ahead_ms
            return ""
        days, way = abs(leapt_ms) / MOST_MS, "forward" if leapt_ms > 0 else "back"
        return (
            f"the clock of this machine leapt {way} by {days:.1f} days: set it right, or start anew if it is right now"
        )

    def _ahead(self) -> int:
        return self._clock.wall_ms() - round(self._clock.monotonic() * 1000)
