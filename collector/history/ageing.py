"""History by age: samples, then windows of five minutes, then of an hour, then nothing.

At any age there is one resolution, so a query never has to choose between two that disagree. Each step is one
transaction that writes the windows and deletes what they stand for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, and_, delete, insert, or_, select

from collector.history.chunk import MAX_COUNT, BadChunk, Instants, Packed, Samples, unpack
from collector.history.reader import History
from collector.history.rolled import ROLLED, pack_rolled, unpack_windows
from collector.history.rollup import FIVE_MINUTES_MS, HOUR_MS, Windows, coarser, roll
from collector.history.tables import chunks
from collector.store.engine import Store

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
SAMPLES, FIVE_MINUTES, HOUR = 0, ROLLED | 2, ROLLED | 4
"""Flags of chunks by resolution; ``ROLLED`` alone is what an agent rolled up itself."""
ORIGINS_AT_ONCE = 20
ROWS_AT_ONCE = 500


class Days(NamedTuple):
    """For how long each resolution is kept."""

    raw: int
    five_minutes: int
    hour: int


class Ageing:
    def __init__(self, store: Store, history: History, days: Days) -> None:
        self._store = store
        self._history = history
        self._days = days

    def coarse(self, now_ms: int) -> tuple[tuple[int, int], ...]:
        """(before when, resolution in milliseconds) of what is not there as samples any more, coarsest last.

        Whole days of UTC, so that a day's windows come to lie in one or two rows.
        """
        today_ms = now_ms // DAY_MS * DAY_MS
        return (
            (today_ms - self._days.raw * DAY_MS, FIVE_MINUTES_MS),
            (today_ms - max(self._days.raw, self._days.five_minutes) * DAY_MS, HOUR_MS),
        )

    def step(self, now: datetime) -> int:
        """Take everything that is old enough one step further; how many chunks were rolled up or deleted."""
        now_ms = round(now.timestamp() * 1000)
        (raw_ms, _), (five_ms, _) = self.coarse(now_ms)
        last_ms = now_ms - max(self._days) * DAY_MS
        self._history.refresh()
        done = self._roll([SAMPLES], raw_ms, FIVE_MINUTES, FIVE_MINUTES_MS)
        done += self._roll([ROLLED, FIVE_MINUTES], five_ms, HOUR, HOUR_MS)
        return done + self._forget(last_ms)

    def _roll(self, flags: list[int], before_ms: int, into: int, window_ms: int) -> int:
        total = 0
        while True:
            with self._store.reading() as connection:
                rows = _old_rows(connection, flags, before_ms)
            if not rows:
                return total
            made = [row for origin in _by_origin(rows) for row in self._rolled(origin, into, window_ms)]
            with self._store.transaction() as connection:
                connection.execute(delete(chunks).where(chunks.c.id.in_([row.id for row in rows])))
                if made:
                    connection.execute(insert(chunks), made)
            total += len(rows)

    def _rolled(self, rows: list[Any], into: int, window_ms: int) -> Iterator[dict[str, Any]]:
        """The chunks that stand for these, all of one origin."""
        counters = self._history.index.counters.get(rows[0].schema_hash)
        if counters is None:
            log.warning("history of an unknown schema dropped", extra={"schema": rows[0].schema_hash.hex()})
            return
        try:
            if into == FIVE_MINUTES:
                windows = roll(_joined([_samples(row) for row in rows]), counters, window_ms)
            else:
                windows = coarser(_windows_of(rows), counters, window_ms)
        except BadChunk as why:
            log.warning("damaged history dropped", extra={"host": rows[0].host, "error": str(why)})
            return
        for part in _parts(windows.samples.times):
            samples = Samples(
                windows.samples.times[part],
                windows.samples.offsets[part],
                windows.samples.seqs[part],
                windows.samples.words[:, part],
            )
            packed = pack_rolled(samples, windows.began[part], windows.counts[part])
            yield {
                "agent_id": rows[0].agent_id,
                "epoch": rows[0].epoch,
                "schema_hash": rows[0].schema_hash,
                "host": rows[0].host,
                "from_ms": int(windows.began[part].min()),
                "to_ms": int(samples.times[-1]) + 1,
                "count": len(samples.times),
                "flags": into,
                "times": packed.times,
                "seqs": packed.seqs,
                "data": packed.data,
            }

    def _forget(self, before_ms: int) -> int:
        with self._store.transaction() as connection:
            return connection.execute(delete(chunks).where(chunks.c.to_ms <= before_ms)).rowcount


def _old_rows(connection: Connection, flags: list[int], before_ms: int) -> list[Any]:
    """Chunks of these flags that ended before, of a few origins, each origin's in order of time."""
    is_old = and_(chunks.c.flags.in_(flags), chunks.c.to_ms <= before_ms)
    origin = (chunks.c.agent_id, chunks.c.epoch, chunks.c.schema_hash)
    origins = connection.execute(select(*origin).where(is_old).distinct().limit(ORIGINS_AT_ONCE)).all()
    if not origins:
        return []
    theirs = or_(*(and_(*(column == value for column, value in zip(origin, one, strict=True))) for one in origins))
    return list(
        connection.execute(
            select(chunks).where(is_old, theirs).order_by(*origin, chunks.c.from_ms, chunks.c.id).limit(ROWS_AT_ONCE)
        )
    )


def _parts(times: Instants) -> Iterator[slice]:
    """A day each, at most ``MAX_COUNT`` instants."""
    edges = [0, *(np.flatnonzero(np.diff(times // DAY_MS)) + 1).tolist(), len(times)]
    for first, end in pairwise(edges):
        for start in range(first, end, MAX_COUNT):
            yield slice(start, min(start + MAX_COUNT, end))


def _by_origin(rows: list[Any]) -> list[list[Any]]:
    found: dict[tuple[bytes, bytes, bytes], list[Any]] = {}
    for row in rows:
        found.setdefault((row.agent_id, row.epoch, row.schema_hash), []).append(row)
    return list(found.values())


def _samples(row: Any) -> Samples:
    return unpack(row.count, Packed(row.times, row.seqs, row.data))


def _joined(parts: list[Samples]) -> Samples:
    return Samples(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.offsets for part in parts]),
        np.concatenate([part.seqs for part in parts]),
        np.concatenate([part.words for part in parts], axis=1),
    )


def _windows_of(rows: list[Any]) -> Windows:
    began: list[Instants] = []
    counts: list[Instants] = []
    for row in rows:
        first, _, taken = unpack_windows(row.count, row.times)
        began.append(first)
        counts.append(taken)
    return Windows(_joined([_samples(row) for row in rows]), np.concatenate(began), np.concatenate(counts))
