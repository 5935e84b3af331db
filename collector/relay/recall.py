"""After a start: which numbers the centre took is read back from the rows that wait, some at a time.

A hub that was cut off for a week has a million of them. It takes reports and relays meanwhile; only receipts are not
handed down before all is known, and those can wait: an agent keeps what it has no receipt for.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.link.ranges import Ranges
from collector.log.positions import Name, Position
from collector.relay import queries
from collector.relay.custody import Custody
from collector.store.engine import Store

ROWS_AT_ONCE = 10_000


class Recall:
    """One thread calls ``begin`` and ``step``, the same that settles rows: what was settled before its turn is not read."""

    def __init__(self, store: Store, custody: Custody, most: int = ROWS_AT_ONCE) -> None:
        self._store = store
        self._most = most
        self._custody = custody
        self._next = 1
        self._last = 0
        self.is_done = False

    def begin(self, positions: Iterable[tuple[Name, Position]]) -> None:
        """``positions``: what is held, of every row there is now."""
        with self._store.reading() as connection:
            self._last = queries.last_id(connection)
        self._next, self.is_done = 1, False
        self._custody.recall((name, position.held) for name, position in positions)

    def step(self, settled: Ranges) -> None:
        """Read some rows; ``settled`` are those that do not wait any more."""
        with self._store.reading() as connection:
            waiting, self._next = queries.waiting_numbers(connection, settled, self._next, self._last, self._most)
        self._custody.leave_out(waiting)
        if self._next > self._last:
            self._custody.recalled()
            self.is_done = True
