"""Which rows of the log a destination has, and which are next.

Ids of the log, each in one of four: *done* (sent, or found not to go on), *waiting* (there, but its schema is not; or not
there yet, which on PostgreSQL a row that commits late can be), pending, or above the newest. Waiting ones are looked at
again now and then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from agent.link.ranges import Range, Ranges

SETTLE_SECONDS = 600.0
"""A number that is not in the log so long after a higher one was never will be."""
LOOK_AGAIN_SECONDS = 10.0


class Position:
    def __init__(self, done: Iterable[Iterable[int]] = ()) -> None:
        self.done = Ranges(done)
        self.is_changed = False
        """Whether ``done`` grew; whoever saves it says no again."""
        self.newest = self.done.last
        self._waiting = Ranges()
        self._looked_at = 0.0
        self._seen: deque[tuple[float, int]] = deque()
        """When (monotonic), which id was the newest; about one a minute of the last ``SETTLE_SECONDS``."""
        self._settled = 0

    def look(self, newest: int, now: float) -> None:
        """Note the newest id of the log, and give what waited another chance now and then."""
        self.newest = max(self.newest, newest)
        if not self._seen or now - self._seen[-1][0] >= SETTLE_SECONDS / 10:
            self._seen.append((now, newest))
        while self._seen and now - self._seen[0][0] >= SETTLE_SECONDS:
            self._settled = self._seen.popleft()[1]
        if now - self._looked_at >= LOOK_AGAIN_SECONDS:
            self._looked_at = now
            self._waiting = Ranges()

    def begin_at(self, first: int) -> None:
        """Nothing before this id is in the log any more, nor will be."""
        if first > 1 and not self.done.covers(1, first - 1):
            self.done.add(1, first - 1)
            self.is_changed = True

    def pending(self, newest_first: bool) -> list[Range]:
        """Ranges in which there is something to send, in the order to look at them."""
        if not self.newest:
            return []
        gaps = [part for gap in self.done.gaps(1, self.newest) for part in self._waiting.gaps(*gap)]
        return gaps[::-1] if newest_first else gaps

    @property
    def count(self) -> int:
        """How many rows are pending or wait for a schema."""
        return sum(last - first + 1 for first, last in self.done.gaps(1, self.newest)) if self.newest else 0

    def finish(self, ids: Iterable[int]) -> None:
        for at in ids:
            self.done.add(at)
            self.is_changed = True

    def take_back(self, ids: Iterable[int]) -> None:
        """These are to be sent once more."""
        for at in ids:
            self.done.remove(at, at)
            self.is_changed = True

    def wait(self, ids: Iterable[int]) -> None:
        """These are there and cannot be read yet."""
        for at in ids:
            self._waiting.add(at)

    def missing(self, first: int, last: int, found: Iterable[int]) -> None:
        """Of ``first..last`` only ``found`` are in the log: what is old is given up, what is new may still come."""
        there = Ranges()
        for at in sorted(found):
            there.add(at)
        for a, b in there.gaps(first, last):
            if a <= self._settled:
                self.done.add(a, min(b, self._settled))
                self.is_changed = True
            if b > self._settled:
                self._waiting.add(max(a, self._settled + 1), b)
