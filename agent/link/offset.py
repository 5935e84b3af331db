"""How far this machine's clock is from the collector's, measured on each exchange.

The estimate is kept against the monotonic clock, so that a jump of the wall clock (an hour, ten years) is corrected in
the very next record without asking anybody. Of several measurements the one with the shortest round trip is believed,
because its error is at most half of that; it is given up when a newer one contradicts it or when it is old.

Before anything is measured, time does not run backwards: a machine that boots in 1970 with the link cut stamps its
records from where the last one was taken, not from 1970, where a collector would have to give them up as too old.
"""

from __future__ import annotations

from agent.link.clock import Clock

TRUSTED_SECONDS = 600.0
DRIFT = 100e-6
"""Seconds per second that two clocks may part without anything being wrong."""


class Offset:
    """``offset_ms`` is receiver minus agent: what to add to this machine's wall clock; before anything is measured 0, or
    what ``assume_not_before`` asks for.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_ms: float | None = None
        self._rtt = 0.0
        self._measured_at = 0.0
        self._floor_ms: float | None = None

    def assume_not_before(self, then_ms: int) -> None:
        """It is later than ``then_ms`` (corrected time), whatever this machine's clock says."""
        floor_ms = then_ms - self._clock.monotonic() * 1000
        self._floor_ms = floor_ms if self._floor_ms is None else max(floor_ms, self._floor_ms)

    @property
    def is_known(self) -> bool:
        return self._ahead_ms is not None

    @property
    def rtt_seconds(self) -> float:
        """Round trip of the measurement believed."""
        return self._rtt

    def measure(self, receiver_ms: int, sent_at: float, received_at: float) -> None:
        """Take in one exchange: the receiver's clock as it answered, and our monotonic clock around it."""
        rtt = max(0.0, received_at - sent_at)
        ahead_ms = receiver_ms - (sent_at + received_at) / 2 * 1000
        age = received_at - self._measured_at
        is_contradicted = self._ahead_ms is not None and (
            abs(ahead_ms - self._ahead_ms) > (rtt + self._rtt) / 2 * 1000 + age * DRIFT * 1000 + 1
        )
        if self._ahead_ms is None or is_contradicted or rtt <= self._rtt or age > TRUSTED_SECONDS:
            self._ahead_ms, self._rtt, self._measured_at = ahead_ms, rtt, received_at

    def offset_ms(self) -> int:
        if self._ahead_ms is None:
            if self._floor_ms is None:
                return 0
            return max(0, round(self._floor_ms + self._clock.monotonic() * 1000 - self._clock.wall_ms()))
        return round(self._ahead_ms + self._clock.monotonic() * 1000 - self._clock.wall_ms())
