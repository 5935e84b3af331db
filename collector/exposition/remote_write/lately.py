"""What a destination took a moment ago and may have forgotten, if it ended then. Pure.

Stores acknowledge before they write: Prometheus 2.42 says 204 for late samples and, ended in that instant, logs them
nowhere; VictoriaMetrics holds seconds of them in memory. So where nothing answers any more, the last of what was taken is
sent once more; a store that had not ended takes it as the same samples.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

LOOK_BACK_SECONDS = 10.0


class Lately:
    def __init__(self) -> None:
        self._taken: deque[tuple[float, list[int]]] = deque()
        self._again: set[int] = set()
        """Sent once more already: a line that comes and goes must not send the same rows for ever."""

    def took(self, ids: Iterable[int], now: float) -> None:
        new = [at for at in ids if at not in self._again]
        self._again.difference_update(ids)
        self._taken.append((now, new))
        self._forget(now)

    def take_back(self, now: float) -> list[int]:
        """Nothing answers: the rows to send once more."""
        self._forget(now)
        found = [at for _, ids in self._taken for at in ids]
        self._taken.clear()
        self._again.update(found)
        return found

    def may_begin_again(self, ids: Iterable[int]) -> bool:
        """Whether a batch of these rows, of which a part was taken, is sent from its beginning: once."""
        fresh = set(ids) - self._again
        self._again.update(fresh)
        return bool(fresh)

    def _forget(self, now: float) -> None:
        while self._taken and now - self._taken[0][0] > LOOK_BACK_SECONDS:
            self._taken.popleft()
