"""How each check of a host went over a stretch of time, as runs of one state. Values only, no words, no markup.

A cell shows the worst of its time: a short failure is not to vanish in a month. Where nothing came there is no run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.names import CRITICAL, OK, STALE_INTERVALS, UNKNOWN, WARNING
from collector.history.source import COUNT, HIGH, SeriesData

CELLS = 120
WORSE = (OK, UNKNOWN, WARNING, CRITICAL)
"""Check states, each worse than those before it; a cell holds the place here and one more, 0 = nothing."""
RANK = np.zeros(len(WORSE), np.int8)
RANK[list(WORSE)] = np.arange(1, len(WORSE) + 1, dtype=np.int8)


class Run(NamedTuple):
    """``begin`` and ``length`` in cells."""

    begin: int
    length: int
    state: int


class CheckStrip(NamedTuple):
    runs: tuple[Run, ...]
    shares: tuple[tuple[int, float], ...]
    """(state, share of the time something is known about), the worst first."""


def check_strips(found: Iterable[SeriesData], from_ms: int, to_ms: int, interval_ms: int) -> dict[str, CheckStrip]:
    """``found``: series of ``bongsu_check_state`` of one host. By name of the check."""
    made = {}
    for one in found:
        cells = cells_of(one.present, from_ms, to_ms, interval_ms)
        if cells.any():
            made[dict(one.labels).get("check", "")] = strip_of(cells)
    return made


def cells_of(one: SeriesData, from_ms: int, to_ms: int, interval_ms: int) -> NDArray[np.int8]:
    """The worst rank in each cell. A sample counts until the next, at most ``STALE_INTERVALS`` intervals; a window of a
    roll-up back to its begin."""
    cells = np.zeros(CELLS, np.int8)
    if not len(one.times):
        return cells
    values = one.values if one.folded is None else one.folded[HIGH]
    lengths = np.zeros(len(values)) if one.folded is None else one.folded[COUNT] * interval_ms
    lengths[lengths <= interval_ms] = 0
    ranks = RANK[np.clip(np.nan_to_num(values, nan=UNKNOWN), 0, len(WORSE) - 1).astype(np.int64)]
    ends = np.append(one.times[1:], to_ms)
    until = np.where(lengths > 0, one.times, np.minimum(ends, one.times + STALE_INTERVALS * interval_ms))
    cell_ms = (to_ms - from_ms) / CELLS
    begins = np.floor((one.times - lengths - from_ms) / cell_ms).astype(np.int64)
    lasts = np.ceil((until - from_ms) / cell_ms).astype(np.int64)
    lasts = np.maximum(lasts, begins + 1)
    for state_rank in range(1, len(WORSE) + 1):  # the worst is painted last
        here = ranks == state_rank
        for begin, last in np.unique(np.stack([begins[here], lasts[here]], axis=1), axis=0).tolist():
            cells[max(0, begin) : max(0, min(CELLS, last))] = state_rank
    return cells


def strip_of(cells: NDArray[np.int8]) -> CheckStrip:
    turns = np.flatnonzero(np.diff(cells)) + 1
    begins, ends = np.append(0, turns), np.append(turns, len(cells))
    runs = [
        Run(begin, end - begin, WORSE[int(cells[begin]) - 1])
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        if cells[begin]
    ]
    counts = np.bincount(cells, minlength=len(WORSE) + 1)[1:]
    shares = [(WORSE[rank], float(count / counts.sum())) for rank, count in enumerate(counts.tolist()) if count]
    return CheckStrip(tuple(runs), tuple(reversed(shares)))
