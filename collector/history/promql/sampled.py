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
from collector.history.source import COUNT, LabelSets, Newest, SeriesData, Spans

Places = NDArray[np.intp]


class Window(NamedTuple):
    """Series with the same instants, all present, and for each instant of the grid which of them are in reach.

    ``times`` (N,), or (S, N) where each has its own, and ``values`` (S, N) are the samples; those of grid instant t are
    ``first[t]:end[t]``, taken in ``[began_ms[t], ended_ms[t]]``.
    """

    labels: LabelSets
    times: Instants
    values: Values
    first: Places
    end: Places
    began_ms: Instants
    ended_ms: Instants
    folded: NDArray[np.float64] | None = None
    """Where some samples are windows, (5, S, N): see ``SeriesData``."""

    def fold(self, part: int) -> Values:
        """What each sample stands for: itself, but where it is a window."""
        if self.folded is not None:
            found: Values = self.folded[part]
            return found
        return np.ones(self.values.shape) if part == COUNT else self.values

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
    for labels, times, words, _ in _together(found):
        at = np.searchsorted(times, at_ms, side="right") - 1
        in_reach = at >= 0
        in_reach &= times[at] >= at_ms - lookback_ms
        taken = words[:, at]
        here: Mask = in_reach & (taken != ABSENT_WORD)
        values = np.broadcast_to(times[at] / 1000, taken.shape) if as_times else taken.view(np.float64)
        parts.append(Vector(labels, values, here))
    return stacked(parts, len(grid))


def newest_vector(found: Newest, as_times: bool = False) -> Vector:
    """The same of newest samples that are all in reach: a grid of one instant."""
    values = found.times / 1000 if as_times else found.words.view(np.float64)
    return Vector(found.labels, values[:, np.newaxis], (found.words != ABSENT_WORD)[:, np.newaxis])


def windows(
    found: Sequence[SeriesData], grid: Instants, range_ms: int, offset_ms: int = 0, by_fold: bool = False
) -> Iterator[Window]:
    """What range functions look through. Series with holes are taken by their holes. ``by_fold``: one that ended within a
    window of old history is there in that window, though it has no last value."""
    ended = grid - offset_ms
    began = ended - range_ms
    for labels, times, words, folded in _together(found):
        is_there = words != ABSENT_WORD if folded is None or not by_fold else folded[COUNT] > 0
        for rows, here in _by_holes(is_there):
            own = times if here is None else times[here]
            first = np.searchsorted(own, began, side="left")
            end = np.searchsorted(own, ended, side="right")
            low, high = int(first.min()), int(end.max())
            if low >= high:
                continue
            taken = words[rows] if here is None else words[rows][:, here]
            more = folded
            if more is not None:
                more = (more[:, rows] if here is None else more[:, rows][:, :, here])[:, :, low:high]
            yield Window(
                labels if rows == slice(None) else LabelSets([labels[row] for row in rows]),  # type: ignore[union-attr]
                own[low:high],
                np.ascontiguousarray(taken[:, low:high]).view(np.float64),
                first - low,
                end - low,
                began,
                ended,
                more,
            )


def span_windows(found: Spans, at_ms: int, range_ms: int, offset_ms: int = 0) -> Iterator[tuple[Places, Window]]:
    """What range functions look through for one instant: series that are there at the same places, and their rows."""
    here = found.words != ABSENT_WORD
    if not here.size:
        return
    ended = np.array([at_ms - offset_ms], np.int64)
    patterns = np.packbits(here, axis=1)
    _, first, group = np.unique(_as_keys(patterns), return_index=True, return_inverse=True)
    for number, row in enumerate(first.tolist()):
        count = int(here[row].sum())
        if not count:
            continue
        rows = np.flatnonzero(group == number)
        cells = np.ix_(rows, np.flatnonzero(here[row]))
        yield (
            rows,
            Window(
                found.labels,
                found.times[cells],
                found.words[cells].view(np.float64),
                np.zeros(1, np.intp),
                np.full(1, count, np.intp),
                ended - range_ms,
                ended,
            ),
        )


def _as_keys(patterns: NDArray[np.uint8]) -> NDArray[np.void]:
    """Rows of bytes as single values that can be compared."""
    rows = np.ascontiguousarray(patterns)
    return rows.view(np.dtype((np.void, rows.shape[1]))).ravel()


def _together(
    found: Sequence[SeriesData],
) -> Iterator[tuple[LabelSets, Instants, NDArray[np.uint64], NDArray[np.float64] | None]]:
    """Neighbours that share their instants, as one."""
    for _, group in groupby(found, key=lambda one: id(one.times)):
        some = list(group)
        if not len(some[0].times):
            continue
        folds = [one.folded for one in some if one.folded is not None]
        assert len(folds) in (0, len(some)), "series of one report are windows together"
        folded = np.stack(folds, axis=1) if folds else None
        yield LabelSets([one.labels for one in some]), some[0].times, np.stack([one.words for one in some]), folded


def _by_holes(is_there: Mask) -> Iterator[tuple[list[int] | slice, Mask | None]]:
    """Rows that are present at the same instants, and which; None where at all."""
    if is_there.all():
        yield slice(None), None
        return
    groups: dict[bytes, list[int]] = {}
    for row in range(len(is_there)):
        groups.setdefault(is_there[row].tobytes(), []).append(row)
    for rows in groups.values():
        yield rows, is_there[rows[0]]
