"""Older history in fewer numbers: of each window of some minutes what an agent's own roll-up says of many samples.

The same form as in ``rolled``: last, count, low, high, total of every column, falls of counters. ``last`` is the word of
the window's last sample as it was, absent where the series had ended by then, so that an instant on the grid of windows
is answered as it was from the samples themselves. Pure.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.names import ABSENT_WORD
from collector.history.chunk import Instants, Samples, Words
from collector.history.rolled import PARTS

FIVE_MINUTES_MS = 300_000
HOUR_MS = 3_600_000
LAST, COUNT, LOW, HIGH, TOTAL, FALLS = range(PARTS)


class Windows(NamedTuple):
    """Roll-ups in order of time: ``samples.times`` are when each window's last sample was taken, ``words`` (6 x W, T)."""

    samples: Samples
    began: Instants
    counts: Instants


def roll(samples: Samples, counters: NDArray[np.bool_], window_ms: int) -> Windows:
    """Samples of one origin in windows; at least one sample."""
    order = np.argsort(samples.times, kind="stable")
    times, words = samples.times[order], samples.words[:, order]
    starts, ends = _windows(times, window_ms)
    here = words != ABSENT_WORD
    values = np.where(here, words.view(np.float64), np.nan)
    counted = np.add.reduceat(here.astype(np.int64), starts, axis=1)
    fell = _fell(values, here)
    numbers = here & ~np.isnan(values)
    parts = np.stack(
        [
            words[:, ends],
            counted.astype(np.float64).view(np.uint64),
            _words(np.fmin.reduceat(values, starts, axis=1)),
            _words(np.fmax.reduceat(values, starts, axis=1)),
            _sums(values, numbers, starts),
            np.add.reduceat(fell, starts, axis=1).view(np.uint64),
        ]
    )
    return _made(parts, counters, samples, order, times, starts, ends, ends - starts + 1)


def coarser(windows: Windows, counters: NDArray[np.bool_], window_ms: int) -> Windows:
    """Windows put together to longer ones; at least one."""
    samples = windows.samples
    order = np.argsort(samples.times, kind="stable")
    times = samples.times[order]
    starts, ends = _windows(times, window_ms)
    words = samples.words.reshape(PARTS, len(counters), -1)[:, :, order]
    values = np.where(words != ABSENT_WORD, words.view(np.float64), np.nan)
    totals = values[TOTAL]
    between = _fell(values[LAST], words[LAST] != ABSENT_WORD)
    falls = np.where(np.isnan(values[FALLS]), 0.0, values[FALLS])
    numbers = words[TOTAL] != ABSENT_WORD
    parts = np.stack(
        [
            words[LAST][:, ends],
            np.add.reduceat(np.nan_to_num(values[COUNT]), starts, axis=1).view(np.uint64),
            _words(np.fmin.reduceat(values[LOW], starts, axis=1)),
            _words(np.fmax.reduceat(values[HIGH], starts, axis=1)),
            _sums(totals, numbers, starts),
            np.add.reduceat(np.maximum(falls, between), starts, axis=1).view(np.uint64),
        ]
    )
    counts = np.add.reduceat(windows.counts[order], starts)
    made = _made(parts, counters, samples, order, times, starts, ends, counts)
    return made._replace(began=np.minimum.reduceat(windows.began[order], starts))


def _windows(times: Instants, window_ms: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and last place of each window that has a sample."""
    numbers = times // window_ms
    starts = np.concatenate([[0], np.flatnonzero(np.diff(numbers)) + 1]).astype(np.intp)
    return starts, np.append(starts[1:], len(times)).astype(np.intp) - 1


def _fell(values: NDArray[np.float64], here: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 where a value is smaller than the one there was before it, however long before."""
    places = np.where(here, np.arange(values.shape[1]), -1)
    before = np.full(places.shape, -1)
    before[:, 1:] = np.maximum.accumulate(places, axis=1)[:, :-1]
    earlier = np.take_along_axis(values, np.maximum(before, 0), axis=1)
    with np.errstate(invalid="ignore"):
        return (here & (before >= 0) & (values < earlier)).astype(np.float64)


def _sums(values: NDArray[np.float64], numbers: NDArray[np.bool_], starts: NDArray[np.intp]) -> Words:
    """Sums of what is a number; absent where nothing is. Infinities of both signs sum to NaN."""
    with np.errstate(invalid="ignore"):
        found = np.add.reduceat(np.where(numbers, values, 0.0), starts, axis=1)
    is_there = np.add.reduceat(numbers.astype(np.int64), starts, axis=1) > 0
    return np.where(is_there, np.ascontiguousarray(found).view(np.uint64), np.uint64(ABSENT_WORD))


def _words(values: NDArray[np.float64]) -> Words:
    """Absent where there is nothing to say."""
    return np.where(np.isnan(values), np.uint64(ABSENT_WORD), np.ascontiguousarray(values).view(np.uint64))


def _made(
    parts: Words,
    counters: NDArray[np.bool_],
    samples: Samples,
    order: NDArray[np.intp],
    times: Instants,
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
    counts: Instants,
) -> Windows:
    for part in (LOW, HIGH, TOTAL):
        parts[part, counters] = ABSENT_WORD
    parts[FALLS, ~counters] = ABSENT_WORD
    return Windows(
        Samples(
            times[ends], samples.offsets[order][ends], samples.seqs[order][ends], parts.reshape(-1, parts.shape[2])
        ),
        times[starts],
        counts.astype(np.int64),
    )
