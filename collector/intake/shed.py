"""Which lanes to turn away for now, by what the intake itself feels: how long requests wait for their commit, how much
waits, and how long a commit takes. Judging is pure; ``Shedder`` only measures.

The backlog goes first, because it has waited already and nobody looks at it; what is live goes last. Each lane is shut
at one height and opened again at a lower one, so that it does not flutter, and whoever is turned away is told when to
come again: each a different moment, so that a thousand do not come back as one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from agent.link.names import BACKLOG_LANE, LANE_HEADER, LIVE_LANE

_LANE_HEADER = LANE_HEADER.encode()
LANES = (LIVE_LANE, BACKLOG_LANE)
FRESH_SECONDS = 10.0
"""How long a measured commit is taken for how commits are now."""
_GOLDEN = (math.sqrt(5) - 1) / 2
"""Multiples of it, less their whole part, lie as far from each other as points can that come one by one."""


SLOWED_BYTES_PER_SECOND = 8 << 10
"""Of each agent; a chunk every four seconds."""


class Load(NamedTuple):
    """``queue_seconds``: how long the request that has waited longest for its commit has waited. ``queue_bytes``: of
    all that wait. ``commit_seconds``: from a request's arrival to its commit, lately."""

    queue_seconds: float = 0.0
    queue_bytes: int = 0
    commit_seconds: float = 0.0

    def reaches(self, height: Load) -> bool:
        return (
            self.queue_seconds >= height.queue_seconds
            or self.queue_bytes >= height.queue_bytes
            or self.commit_seconds >= height.commit_seconds
        )


class Heights(NamedTuple):
    """A lane is shut where any part of the load reaches ``shut``, and opened where none reaches ``reopen``."""

    shut: Load
    reopen: Load
    retry_seconds: tuple[int, int]
    """When who was turned away is asked back, spread from the first to the last."""


HEIGHTS = {
    BACKLOG_LANE: Heights(Load(0.5, 4 << 20, 0.75), Load(0.1, 1 << 20, 0.25), (5, 30)),
    LIVE_LANE: Heights(Load(10.0, 48 << 20, 15.0), Load(4.0, 16 << 20, 6.0), (1, 5)),
}
"""Senders of what is live wait for half a minute at the least. All that wait are written in one commit, so one slow commit
(a busy machine, a disk that pauses) is waited out sooner than everybody has sent everything again."""

LOWEST = HEIGHTS[BACKLOG_LANE].shut
"""Below it no lane is shut: mostly there is nothing more to ask."""


def judge(shut: frozenset[str], load: Load) -> frozenset[str]:
    """The lanes that are shut from now on, by which were and the load."""
    return frozenset(
        lane for lane, height in HEIGHTS.items() if load.reaches(height.reopen if lane in shut else height.shut)
    )


def retry_after_seconds(lane: str, number: int) -> int:
    """When the ``number``-th that is turned away shall come again: evenly spread, whoever and however many they are."""
    first, last = HEIGHTS[lane].retry_seconds
    return first + int(number * _GOLDEN % 1.0 * (last - first + 1))


class Shedder:
    """Of one intake. Moments are monotonic seconds; everything happens in the event loop."""

    def __init__(self) -> None:
        self.shut: frozenset[str] = frozenset()
        self.turned_away = 0
        self._waiting: dict[int, tuple[float, int]] = {}
        self._bytes = 0
        self._next = 0
        self._commit_seconds = 0.0
        self._committed_at = -FRESH_SECONDS

    def load(self, now: float) -> Load:
        oldest = next(iter(self._waiting.values()), (now, 0))[0]
        is_fresh = now - self._committed_at < FRESH_SECONDS
        return Load(now - oldest, self._bytes, self._commit_seconds if is_fresh else 0.0)

    def refuses(self, lane: str, now: float) -> int:
        """0 where a request of this lane is welcome, else the seconds after which it shall come again."""
        load = self.load(now)
        if not self.shut and not load.reaches(LOWEST):
            return 0
        self.shut = judge(self.shut, load)
        if lane not in self.shut:
            return 0
        self.turned_away += 1
        return retry_after_seconds(lane, self.turned_away)

    def begin(self, size: int, now: float) -> int:
        """A request of ``size`` bytes begins to wait for its commit; the token for ``end``."""
        self._next += 1
        self._waiting[self._next] = (now, size)
        self._bytes += size
        return self._next

    def end(self, token: int, now: float) -> None:
        began, size = self._waiting.pop(token)
        self._bytes -= size
        self._commit_seconds = (self._commit_seconds + now - began) / 2
        self._committed_at = now

    def backlog_bytes_per_second(self, agents: int, now: float) -> int:
        """How fast whoever brought reports of so many agents may send its backlog; 0 = as the line lets it. Asked for
        before the lane must be shut: a sender that is slowed keeps what it gained, one turned away tries again."""
        is_busy = self.load(now).reaches(HEIGHTS[BACKLOG_LANE].reopen)
        return SLOWED_BYTES_PER_SECOND * max(1, agents) if is_busy else 0

    @property
    def queue_bytes(self) -> int:
        return self._bytes


def lane_of(headers: list[tuple[bytes, bytes]]) -> str:
    """Which lane a request says it is of; one that says nothing is live."""
    for name, value in headers:
        if name == _LANE_HEADER:
            return BACKLOG_LANE if value == BACKLOG_LANE.encode() else LIVE_LANE
    return LIVE_LANE
