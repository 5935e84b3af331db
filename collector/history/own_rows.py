"""Rows of the collector's own series: one sample, many of one layout together, and what stays of old ones. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from collector.history.chunk import MAX_COUNT, Instants, Samples, Words, pack, unpack_times, unpack_words

THIN_MS = 300_000
WHOLE, THIN = 0, 1
"""Flags of rows: every sample, or one for five minutes."""


def row_of(stream: str, layout: bytes, times: Instants, words: Words, *, every: bool) -> dict[str, Any]:
    """A row of samples in order of time; ``words`` has shape (W, T)."""
    nothing = np.zeros(len(times), np.int64)
    packed = pack(Samples(times, nothing, nothing, words))
    return {
        "stream": stream,
        "layout": layout,
        "from_ms": int(times[0]),
        "to_ms": int(times[-1]) + 1,
        "count": len(times),
        "flags": WHOLE if every else THIN,
        "times": packed.times,
        "data": packed.data,
    }


def runs(rows: Iterable[Any]) -> list[list[Any]]:
    """Neighbours of one stream and one layout, at most a chunk's worth."""
    found: list[list[Any]] = []
    for row in rows:
        last = found[-1] if found else None
        if last and (last[0].stream, last[0].layout) == (row.stream, row.layout) and len(last) < MAX_COUNT:
            last.append(row)
        else:
            found.append([row])
    return found


def together(run: list[Any]) -> dict[str, Any]:
    """Rows of one sample each as one row."""
    times = np.concatenate([unpack_times(1, row.times) for row in run])
    words = np.concatenate([unpack_words(1, row.data) for row in run], axis=1)
    return row_of(run[0].stream, run[0].layout, times, words, every=True)


def thinner(row: Any) -> dict[str, Any]:
    """The last sample of each five minutes; marked, so that it is not looked at again."""
    times, words = unpack_times(row.count, row.times), unpack_words(row.count, row.data)
    kept = np.append(np.flatnonzero(np.diff(times // THIN_MS)), len(times) - 1)
    return row_of(row.stream, row.layout, times[kept], words[:, kept], every=False)
