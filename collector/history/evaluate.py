"""Selectors to answers: values at an instant, on a grid of instants, or as they are in a range.

As in Prometheus 3: a series' value at t is its last sample in ``(t - lookback, t]``, and ``x[5m]`` at t holds the
samples in ``(t - 5 m, t]``. A series that its host's report left out has no value from that report on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from agent.link.names import ABSENT_WORD
from collector.history.chunk import Instants
from collector.history.source import LabelSet, SeriesData

LOOKBACK_MS = 300_000
MAX_POINTS = 11_000


class Points(NamedTuple):
    """What an answer shows of a series: instants in milliseconds and values, equally many, at least one."""

    labels: LabelSet
    times: list[int]
    values: list[float]


def steps(start_ms: int, end_ms: int, step_ms: int) -> Instants:
    """The instants of a range query, both ends included."""
    return np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)


def on_grid(series: SeriesData, grid: Instants, lookback_ms: int = LOOKBACK_MS) -> Points | None:
    """The series' value at each instant of the grid where it has one; None where it has none at all."""
    if not len(series.times):
        return None
    at = np.searchsorted(series.times, grid, side="right") - 1
    has_value = at >= 0
    has_value &= series.times[at] > grid - lookback_ms
    has_value &= series.words[at] != ABSENT_WORD
    if not has_value.any():
        return None
    return Points(series.labels, grid[has_value].tolist(), series.values[at[has_value]].tolist())


def in_range(series: SeriesData, at_ms: int, range_ms: int) -> Points | None:
    """The samples of ``(at - range, at]`` as they are."""
    present = series.present
    first, end = np.searchsorted(present.times, [at_ms - range_ms, at_ms], side="right")
    if first == end:
        return None
    return Points(series.labels, present.times[first:end].tolist(), present.values[first:end].tolist())
