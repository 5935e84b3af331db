"""``sum min max avg count topk`` over series, by labels or without them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collector.history.answer import number
from collector.history.promql.plan import Aggregation
from collector.history.promql.values import NAME, ExecutionError, Scalar, Vector, empty, numbered, only, some, without
from collector.history.source import LabelSets

MAX_COUNT = 1 << 53


def aggregate(node: Aggregation, vector: Vector, count: Scalar | None) -> Vector:
    """One series for each group; for topk the series themselves."""
    for most in [] if count is None else count.values.tolist():
        if not -MAX_COUNT < most < MAX_COUNT:
            raise ExecutionError(f"Scalar value {number(most)} overflows int64")
    instants = vector.here.shape[1]
    if not vector.labels:
        return empty(instants)
    groups = vector.labels.made((node.labels, node.is_without), lambda: _grouped(node, vector.labels))
    if node.op == "topk":
        assert count is not None
        return _topk(vector, groups.at, count)
    labels, order, starts = groups.labels, groups.order, groups.starts
    values, here = vector.values[order], vector.here[order]
    counts = np.add.reduceat(here.astype(np.int64), starts, axis=0)
    if node.op == "count":
        found = counts.astype(np.float64)
    elif node.op in ("min", "max"):
        fold = np.fmin if node.op == "min" else np.fmax
        found = fold.reduceat(np.where(here, values, np.nan), starts, axis=0)
    else:
        found = np.add.reduceat(np.where(here, values, 0.0), starts, axis=0)
        if node.op == "avg":
            found = found / np.maximum(counts, 1)
    return some(Vector(labels, found, counts > 0))


class _Groups(NamedTuple):
    """The group of each series; series in the order of groups, and where each group begins there."""

    at: NDArray[np.intp]
    labels: LabelSets
    order: NDArray[np.intp]
    starts: NDArray[np.intp]


def _grouped(node: Aggregation, all_labels: LabelSets) -> _Groups:
    names = frozenset(node.labels)
    if node.is_without:
        at, labels = numbered(without(labels, names | {NAME}) for labels in all_labels)
    else:
        at, labels = numbered(only(labels, names) for labels in all_labels)
    order = np.argsort(at, kind="stable")
    return _Groups(at, LabelSets(labels), order, np.searchsorted(at[order], np.arange(len(labels))))


def _topk(vector: Vector, at: NDArray[np.intp], count: Scalar) -> Vector:
    """The largest of each group, largest first; NaN is the smallest, of equal ones the first stays."""
    kept = np.zeros(vector.here.shape, np.bool_)
    rank = np.where(np.isnan(vector.values), -np.inf, vector.values)
    is_number = ~np.isnan(vector.values)
    for t in range(vector.here.shape[1]):
        most = float(count.values[t])
        taken: dict[int, int] = {}
        for row in np.lexsort((-rank[:, t], ~is_number[:, t])).tolist():
            group = int(at[row])
            if vector.here[row, t] and taken.get(group, 0) < int(most):
                taken[group] = taken.get(group, 0) + 1
                kept[row, t] = True
    found = Vector(vector.labels, vector.values, kept)
    if len(count.values) == 1:  # an answer for one instant is shown in this order
        order = np.lexsort((-rank[:, 0], ~is_number[:, 0]))
        found = Vector(LabelSets([vector.labels[row] for row in order.tolist()]), vector.values[order], kept[order])
    return some(found)
