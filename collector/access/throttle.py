"""Slows down guessing of passwords: failed logins are counted per user and address, and more loosely per each of them.

Pure but for its own memory; ``now`` is seconds of a monotonic clock. The looser limits keep one stranger from locking an
administrator out of an address they never used.
"""

from __future__ import annotations

from collections import OrderedDict

LOOSER_PER_ADDRESS = 5
LOOSER_PER_USER = 20
REMEMBERED = 20_000


class Throttle:
    """After ``tries`` failures the next try waits ``pause_seconds``, and every further failure waits again."""

    def __init__(self, tries: int, pause_seconds: float) -> None:
        self._tries = tries
        self._pause = pause_seconds
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def seconds_to_wait(self, username: str, address: str, now: float) -> float:
        """0 where a login may be tried now."""
        waits = [0.0]
        for key, tries in self._limits(username, address):
            count, last = self._failures.get(key, (0, 0.0))
            if count >= tries:
                waits.append(last + self._pause - now)
        return max(waits)

    def failed(self, username: str, address: str, now: float) -> None:
        for key, tries in self._limits(username, address):
            count, last = self._failures.pop(key, (0, now))
            forgiven = now - last > self._pause * tries
            self._failures[key] = (1 if forgiven else count + 1, now)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, username: str, address: str) -> None:
        for key, _ in self._limits(username, address):
            self._failures.pop(key, None)

    def _limits(self, username: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
        return (
            ((username, address), self._tries),
            (("", address), self._tries * LOOSER_PER_ADDRESS),
            ((username, ""), self._tries * LOOSER_PER_USER),
        )
