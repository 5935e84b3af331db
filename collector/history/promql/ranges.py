"""Functions of range vectors, over all windows of some series at once.

Each takes a ``Window`` and gives values (S, T) and where there are any, (T,). The arithmetic follows Prometheus 2's
functions.go: the same extrapolation, the same treatment of resets and of NaN. Old history is there in windows: the sum,
the mean, the smallest, the largest and the number of samples are still those of the samples; all others take each window
as its last sample, of which ``rate`` and its kind know besides whether the counter fell within the window.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from collector.history.promql.sampled import Places, Window
from collector.history.promql.values import Mask, Scalar, Values
from collector.history.source import COUNT, FELL, HIGH, LOW, TOTAL

Result = tuple[Values, Mask]


def _fold(fold: np.ufunc, values: NDArray[np.generic], first: Places, end: Places) -> NDArray[np.generic]:
    """``fold`` over ``values[:, first[t]:end[t]]`` for each t; anything at all where that is empty."""
    padded = np.concatenate([values, np.zeros((len(values), 1), values.dtype)], axis=1)
    last = padded.shape[1] - 1
    bounds = np.empty(2 * len(first), np.intp)
    bounds[0::2] = np.minimum(first, last)
    bounds[1::2] = np.minimum(np.maximum(end, first), last)
    folded: NDArray[np.generic] = fold.reduceat(padded, bounds, axis=1)[:, 0::2]
    return folded


def _sum(values: Values, first: Places, end: Places) -> NDArray[np.longdouble]:
    total = _fold(np.add, values.astype(np.longdouble), first, end)
    return np.where(end > first, total, np.longdouble(0))


def _ends(window: Window) -> tuple[Values, Values]:
    """First and last value of each window; anything where it is empty."""
    most = max(0, window.values.shape[1] - 1)
    return window.values[:, np.minimum(window.first, most)], window.values[:, np.clip(window.end - 1, 0, most)]


def _sum_over_time(window: Window) -> Result:
    return _sum(window.fold(TOTAL), window.first, window.end).astype(np.float64), window.counts > 0


def _avg_over_time(window: Window) -> Result:
    total = _sum(window.fold(TOTAL), window.first, window.end)
    if window.folded is None:
        return (total / np.maximum(window.counts, 1)).astype(np.float64), window.counts > 0
    count = _sum(window.fold(COUNT), window.first, window.end)
    return (total / np.maximum(count, 1)).astype(np.float64), window.counts > 0


def _min_over_time(window: Window) -> Result:
    return _fold(np.fmin, window.fold(LOW), window.first, window.end).astype(np.float64), window.counts > 0


def _max_over_time(window: Window) -> Result:
    return _fold(np.fmax, window.fold(HIGH), window.first, window.end).astype(np.float64), window.counts > 0


def _count_over_time(window: Window) -> Result:
    if window.folded is not None:
        return _sum(window.fold(COUNT), window.first, window.end).astype(np.float64), window.counts > 0
    shape = (len(window.values), len(window.first))
    return np.broadcast_to(window.counts.astype(np.float64), shape).copy(), window.counts > 0


def _last_over_time(window: Window) -> Result:
    return _ends(window)[1], window.counts > 0


def _changes(window: Window) -> Result:
    values = window.values
    changed = np.zeros(values.shape)
    before, after = values[:, :-1], values[:, 1:]
    changed[:, 1:] = (before != after) & ~(np.isnan(before) & np.isnan(after))
    return _sum(changed, window.first + 1, window.end).astype(np.float64), window.counts > 0


def _growth(window: Window, is_counter: bool) -> Values:
    """Last minus first, and what was there before each reset of a counter."""
    first, last = _ends(window)
    growth = last - first
    if is_counter and window.values.shape[1] > 1:
        lost = np.zeros(window.values.shape)
        lost[:, 1:] = np.where(_was_reset(window), window.values[:, :-1], 0.0)
        if lost.any():
            growth = growth + _sum(lost, window.first + 1, window.end).astype(np.float64)
    return growth


def _was_reset(window: Window) -> Mask:
    """Whether a counter began anew between neighbours, (S, N - 1). A window that ends higher than the one before may hide it."""
    fell: Mask = window.values[:, 1:] < window.values[:, :-1]
    return fell if window.folded is None else fell | (window.folded[FELL][:, 1:] > 0)


def _extrapolated(is_counter: bool, is_rate: bool) -> Callable[[Window], Result]:
    """``rate``, ``increase`` and ``delta``: what was seen, stretched towards the ends of the window."""

    def compute(window: Window) -> Result:
        here: Mask = window.counts >= 2
        if not here.any():
            return np.zeros((len(window.values), len(here))), here
        most = window.times.shape[-1] - 1
        started = window.times[..., np.minimum(window.first, most)]
        ended = window.times[..., np.clip(window.end - 1, 0, most)]
        growth = _growth(window, is_counter)
        to_start = (started - window.began_ms) / 1000
        to_end = (window.ended_ms - ended) / 1000
        sampled = (ended - started) / 1000
        average = sampled / np.maximum(window.counts - 1, 1)
        start = np.broadcast_to(to_start, growth.shape)
        if is_counter:  # a counter was never below zero: do not stretch to before it began
            first = _ends(window)[0]
            to_zero = sampled * (first / growth)
            start = np.where((growth > 0) & (first >= 0) & (to_zero < start), to_zero, start)
        threshold = average * 1.1
        stretched = sampled + np.where(start < threshold, start, average / 2)
        stretched = stretched + np.where(to_end < threshold, to_end, average / 2)
        factor = stretched / sampled
        if is_rate:
            factor = factor / ((window.ended_ms - window.began_ms) / 1000)
        return growth * factor, here

    return compute


def _irate(window: Window) -> Result:
    here: Mask = window.counts >= 2
    most = max(0, window.values.shape[1] - 1)
    at, before = np.clip(window.end - 1, 0, most), np.clip(window.end - 2, 0, most)
    if not here.any():
        return np.zeros((len(window.values), len(here))), here
    last, previous = window.values[:, at], window.values[:, before]
    span = (window.times[..., at] - window.times[..., before]) / 1000
    fell = np.concatenate([np.zeros((len(last), 1), np.bool_), _was_reset(window)], axis=1)[:, at]
    return np.where(fell, last, last - previous) / span, here


def predict_linear(window: Window, at_ms: NDArray[np.int64], ahead: Scalar) -> Result:
    """The line through each window by least squares, ``ahead`` seconds after each instant of the grid."""
    here: Mask = window.counts >= 2
    found = np.zeros((len(window.values), len(here)))
    for t in np.flatnonzero(here).tolist():
        part = slice(int(window.first[t]), int(window.end[t]))
        x, y = np.atleast_2d(window.times[..., part] - at_ms[t]) / 1000, window.values[:, part]
        count = float(x.shape[1])
        sum_x, sum_x2 = _exactly(x), _exactly(x * x)
        sum_y, sum_xy = _exactly(y), _exactly(x * y)
        slope = (sum_xy - sum_x * sum_y / count) / (sum_x2 - sum_x * sum_x / count)
        line = slope * ahead.values[t] + (sum_y / count - slope * sum_x / count)
        is_flat = (y == y[:, :1]).all(axis=1)
        found[:, t] = np.where(is_flat, np.where(np.isinf(y[:, 0]), np.nan, y[:, 0]), line)
    return found, here


def _exactly(values: Values) -> Values:
    total: Values = values.sum(axis=1, dtype=np.longdouble).astype(np.float64)
    return total


def quantile_over_time(window: Window, share: Scalar) -> Result:
    """The ``share`` quantile of each window, between neighbours in proportion; NaN counts as the smallest."""
    here: Mask = window.counts > 0
    found = np.zeros((len(window.values), len(here)))
    ordered = np.where(np.isnan(window.values), -np.inf, window.values)
    has_nan = bool(np.isnan(window.values).any())
    for t in np.flatnonzero(here).tolist():
        q = float(share.values[t])
        part = slice(int(window.first[t]), int(window.end[t]))
        if not 0 <= q <= 1:
            found[:, t] = np.nan if q != q else (-np.inf if q < 0 else np.inf)
            continue
        values = np.sort(ordered[:, part], axis=1)
        if has_nan:  # put back at the front, where -Inf stands in for them
            nans = np.isnan(window.values[:, part]).sum(axis=1)
            values[np.arange(values.shape[1]) < nans[:, np.newaxis]] = np.nan
        rank = q * (values.shape[1] - 1)
        low = max(0, int(np.floor(rank)))
        high = min(values.shape[1] - 1, low + 1)
        weight = rank - np.floor(rank)
        found[:, t] = values[:, low] * (1 - weight) + values[:, high] * weight
    return found, here


PLAIN: dict[str, Callable[[Window], Result]] = {
    "rate": _extrapolated(is_counter=True, is_rate=True),
    "increase": _extrapolated(is_counter=True, is_rate=False),
    "delta": _extrapolated(is_counter=False, is_rate=False),
    "irate": _irate,
    "changes": _changes,
    "avg_over_time": _avg_over_time,
    "min_over_time": _min_over_time,
    "max_over_time": _max_over_time,
    "sum_over_time": _sum_over_time,
    "count_over_time": _count_over_time,
    "last_over_time": _last_over_time,
}
"""Those that take nothing but a range vector."""
FOLDS = frozenset({"avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time"})
"""Those that ask windows of old history for what they stand for, not for their last sample."""
BY_LAST = frozenset({"irate", "changes", "quantile_over_time"})
"""Those that say something else of windows than of the samples these were: each window is its last sample."""
OF_TWO = frozenset({"rate", "increase", "delta", "irate", "predict_linear"})
"""Those that say nothing where fewer than two samples are in reach."""
