"""Selectors to arrays: series at the instants of a grid, and the windows range functions look through.

Series of one report share their instants, so they are taken together: one search for a host, not one for each of its
series.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.names import ABSENT_WORD
from collector.history.chunk import Instants
from collector.history.promql.values import Mask, Values, Vector, stacked
from collector.history.source import LabelSet, SeriesData

Places = NDArray[np.intp]


class Window(NamedTuple):
    """Series with the same instants, all present, and for each instant of the grid which of them are in reach.

    ``times`` (N,) and ``values`` (S, N) are the samples; those of grid instant t are ``first[t]:end[t]``, taken in
    ``[began_ms[t], ended_ms[t]]``.
    """

    labels: list[LabelSet]
    times: Instants
    values: Values
    first: Places
    end: Places
    began_ms: Instants
    ended_ms: Instants

    @property
    def counts(self) -> Places:
        """Samples in reach, (T,)."""
        return self.end - self.first


def instant_vector(
    found: Sequence[SeriesData], grid: Instants, lookback_ms: Instants | int, offset_ms: int = 0, as_times: bool = False
) -> Vector:
    """Each series' newest sample that is at most ``lookback_ms`` old; none where the newest says it ended.

    ``as_times`` gives the samples' own times in seconds instead of their values.
    """
    parts = []
    at_ms = grid - offset_ms
    for labels, times, words in _together(found):
        at = np.searchsorted(times, at_ms, side="right") - 1
        in_reach = at >= 0
        in_reach &= times[at] >= at_ms - lookback_ms
        taken = words[:, at]
        here: Mask = in_reach & (taken != ABSENT_WORD)
        values = np.broadcast_to(times[at] / 1000, taken.shape) if as_times else taken.view(np.float64)
        parts.append(Vector(labels, values, here))
    return stacked(parts, len(grid))


def windows(found: Sequence[SeriesData], grid: Instants, range_ms: int, offset_ms: int = 0) -> Iterator[Window]:
    """What range functions look through. Series with holes are taken by their holes."""
    ended = grid - offset_ms
    began = ended - range_ms
    for labels, times, words in _together(found):
        for rows, here in _by_holes(words):
            own = times if here is None else times[here]
            first = np.searchsorted(own, began, side="left")
            end = np.searchsorted(own, ended, side="right")
            low, high = int(first.min()), int(end.max())
            if low >= high:
                continue
            taken = words[rows] if here is None else words[rows][:, here]
            yield Window(
                labels if rows == slice(None) else [labels[row] for row in rows],  # type: ignore[union-attr]
                own[low:high],
                np.ascontiguousarray(taken[:, low:high]).view(np.float64),
                first - low,
                end - low,
                began,
                ended,
            )


def _together(found: Sequence[SeriesData]) -> Iterator[tuple[list[LabelSet], Instants, NDArray[np.uint64]]]:
    """Neighbours that share their instants, as one."""
    for _, group in groupby(found, key=lambda one: id(one.times)):
        some = list(group)
        if len(some[0].times):
            yield [one.labels for one in some], some[0].times, np.stack([one.words for one in some])


def _by_holes(words: NDArray[np.uint64]) -> Iterator[tuple[list[int] | slice, Mask | None]]:
    """Rows that are present at the same instants, and which; None where at all."""
    here = words != ABSENT_WORD
    if here.all():
        yield slice(None), None
        return
    groups: dict[bytes, list[int]] = {}
    for row in range(len(words)):
        groups.setdefault(here[row].tobytes(), []).append(row)
    for rows in groups.values():
        yield rows, here[rows[0]]
