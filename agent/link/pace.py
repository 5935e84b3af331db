"""How much to send at a time, and when the backlog may have the line again.

A chunk is what the line carried lately in four seconds, at least 2 and at most 32 KiB, so that a record of now never
waits longer than that behind one of yesterday. While what is live takes more than twice its usual time somebody else
needs the line, or the receiver is busy, and the backlog waits. The backlog's share is a share of time: after a transfer of t seconds the line rests from it for
t * (1 / share - 1). Waiting for the far end (the round trip) is not transfer but rest, so a fast line is not slowed
down and a long one not twice.
"""

from __future__ import annotations

from agent.link.names import BACKLOG_LANE, LIVE_LANE

CHUNK_SECONDS = 4.0
LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES = 2 << 10, 32 << 10
CROWDED_RATIO = 2.0
CROWDED_SECONDS = 10.0
"""How long the backlog stands back when the line is crowded; the next live record looks again."""
NOTICEABLE_SECONDS = 0.1
FORGETTING = 1.02
"""The shortest round trip seen grows by this with each live exchange: a line that became longer is believed in time."""
LIVE_RECORDS = 200
RAW_BYTES = 2 << 20
MEASURABLE_SECONDS = 0.02
SHORTEST_DEADLINE, LONGEST_DEADLINE = 30.0, 120.0
"""Seconds a request may take: on a line that was cut meanwhile, whatever is of now waits that long behind it."""


class Pace:
    """``note`` and ``note_failure`` take in what happened; the properties say how much may follow."""

    def __init__(self, backlog_records: int, backlog_share: float) -> None:
        self.backlog_at = 0.0
        self._most = backlog_records
        self._share = backlog_share
        self._limit = LIVE_RECORDS
        self._goodput: float | None = None
        self._packed_per_record: float | None = None
        self._rtt = 0.0

    @property
    def live_records(self) -> int:
        return self._limit

    @property
    def backlog_records(self) -> int:
        most = min(self._most, self._limit)
        if self._goodput is None or self._packed_per_record is None:
            return most
        chunk = min(MOST_CHUNK_BYTES, max(LEAST_CHUNK_BYTES, self._goodput * CHUNK_SECONDS))
        return max(1, min(most, int(chunk / self._packed_per_record)))

    def deadline_seconds(self, packed: int, failures: int) -> float:
        """How long a request of so many bytes may take; twice as long after each failure, for a line may be as bad."""
        carried = packed / self._goodput if self._goodput else 0.0
        return float(min(LONGEST_DEADLINE, (SHORTEST_DEADLINE + 2 * carried) * 2 ** min(failures, 4)))

    def follow(self, backlog_records: int, backlog_share: float) -> None:
        """Another link profile is in force."""
        self._most, self._share = backlog_records, backlog_share

    def stand_back(self, until: float) -> None:
        """The receiver wants no backlog for now."""
        self.backlog_at = max(self.backlog_at, until)

    def note(
        self, lane: str, count: int, packed: int, started_at: float, seconds: float, limit_bytes_per_second: int
    ) -> None:
        """An exchange of ``count`` records in ``packed`` bytes that was answered after ``seconds``."""
        if count and lane == LIVE_LANE:
            self._rtt *= FORGETTING
            carried = packed / self._goodput if self._goodput else 0.0
            if self._rtt and seconds - carried > CROWDED_RATIO * self._rtt + NOTICEABLE_SECONDS:
                self.stand_back(started_at + seconds + CROWDED_SECONDS)
        self._rtt = min(self._rtt or seconds, seconds)
        if not count:
            return
        transfer = max(0.0, seconds - self._rtt)
        per_record = packed / count
        self._packed_per_record = _mixed(self._packed_per_record, per_record)
        if transfer > MEASURABLE_SECONDS:
            self._goodput = _mixed(self._goodput, packed / transfer)
        self._limit = min(LIVE_RECORDS, self._limit * 2)
        if lane == BACKLOG_LANE:
            rest = transfer * (1 / self._share - 1) - self._rtt
            if limit_bytes_per_second > 0:
                rest = max(rest, packed / limit_bytes_per_second - seconds)
            self.stand_back(started_at + seconds + rest)

    def note_failure(self, count: int) -> None:
        """Half as much next time: a line, or a proxy in it, may carry small requests only."""
        if count:
            self._limit = max(1, min(self._limit, count) // 2)


def _mixed(old: float | None, new: float) -> float:
    return new if old is None else (old + new) / 2
