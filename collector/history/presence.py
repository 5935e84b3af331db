"""``up``: one while a host reports, zero while it does not, from nothing but when it did.

A scraper would have noted a zero at each failed attempt; nobody attempts here, so zeros stand where a report was
missing for longer than ``STALE_INTERVALS`` intervals, one for each interval.
"""

from __future__ import annotations

import numpy as np

from agent.link.names import STALE_INTERVALS
from collector.history.chunk import Instants, Words

ONE, ZERO = (int(np.float64(value).view(np.uint64)) for value in (1.0, 0.0))


def presence(times: Instants, before_ms: int | None, to_ms: int, interval_ms: int) -> tuple[Instants, Words]:
    """Times and words of ``up`` until ``to_ms`` (exclusive), from the times of samples.

    ``before_ms`` is when the host last reported before the first of them, None where it never did: nothing is said
    about the time before a host was known.
    """
    known = times if before_ms is None else np.concatenate([np.array([before_ms], np.int64), times])
    pieces = [times]
    ends = np.append(known[1:], np.int64(to_ms)) if len(known) else known
    silent = np.flatnonzero(ends - known > STALE_INTERVALS * interval_ms)
    zeros = [
        np.arange(int(known[at]) + STALE_INTERVALS * interval_ms, int(ends[at]), interval_ms, dtype=np.int64)
        for at in silent
    ]
    pieces += zeros
    all_times = np.concatenate(pieces) if pieces else times
    words = np.full(len(all_times), ZERO, np.uint64)
    words[: len(times)] = ONE
    order = np.argsort(all_times, kind="stable")
    return all_times[order], words[order]
