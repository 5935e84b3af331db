"""How much to send at a time, and when the backlog may have the line again.

A chunk is what the line carried lately in four seconds, so that a record of now never waits longer than that behind
one of yesterday. The backlog's share is a share of time: after a transfer of t seconds the line rests from it for
t * (1 / share - 1). Waiting for the far end (the round trip) is not transfer, so a fast line is not slowed down.
"""

from __future__ import annotations

CHUNK_SECONDS = 4.0
LIVE_RECORDS = 200
RAW_BYTES = 2 << 20
MEASURABLE_SECONDS = 0.02


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
        return max(1, min(most, int(self._goodput * CHUNK_SECONDS / self._packed_per_record)))

    def note(
        self, count: int, packed: int, started_at: float, seconds: float, is_backlog: bool, limit_bytes_per_second: int
    ) -> None:
        """An exchange of ``count`` records in ``packed`` bytes that was answered after ``seconds``."""
        self._rtt = min(self._rtt or seconds, seconds)
        if not count:
            return
        transfer = max(0.0, seconds - self._rtt)
        per_record = packed / count
        self._packed_per_record = _mixed(self._packed_per_record, per_record)
        if transfer > MEASURABLE_SECONDS:
            self._goodput = _mixed(self._goodput, packed / transfer)
        self._limit = min(LIVE_RECORDS, self._limit * 2)
        if is_backlog:
            rest = transfer * (1 / self._share - 1)
            if limit_bytes_per_second > 0:
                rest = max(rest, packed / limit_bytes_per_second - seconds)
            self.backlog_at = started_at + seconds + rest

    def note_failure(self, count: int) -> None:
        """Half as much next time: a line, or a proxy in it, may carry small requests only."""
        if count:
            self._limit = max(1, min(self._limit, count) // 2)


def _mixed(old: float | None, new: float) -> float:
    return new if old is None else (old + new) / 2
