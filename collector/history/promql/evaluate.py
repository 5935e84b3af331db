"""Evaluates a plan over sources of series, on a grid of instants; an instant query is a grid of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from collector.history.chunk import Instants
from collector.history.promql import functions, ranges
from collector.history.promql.aggregate import aggregate
from collector.history.promql.operators import binary
from collector.history.promql.plan import Aggregation, Binary, Call, Negation, Node, Number, Selector, Text, selectors
from collector.history.promql.sampled import Window, instant_vector, newest_vector, span_windows, windows
from collector.history.promql.told import warn
from collector.history.promql.values import ExecutionError, Scalar, Vector, is_unique, nameless, some, stacked
from collector.history.source import Near, SeriesData, Source, Spans, TooMuch
from collector.store.scope import Scope

LOOKBACK_MS = 300_000
MAX_CELLS = 30_000_000
"""Values one step of an evaluation may make; as an array, a quarter of a gigabyte."""
MAX_TOUCHED = 2_000_000_000
"""Samples all windows of a range function may look at together: some seconds of work."""


class Late(Exception):
    """An evaluation took longer than it may."""


@dataclass(slots=True)
class Evaluator:
    """What an evaluation needs to know. Raises ExecutionError, TooMuch, Late."""

    sources: Sequence[Source]
    scope: Scope
    grid: Instants
    lookback_ms: int = LOOKBACK_MS
    coarse: Sequence[tuple[int, int]] = ()
    """(before when, resolution) of history that is only there in windows: a value there holds for one window longer."""
    is_late: Callable[[], bool] = lambda: False
    warnings: list[str] = field(default_factory=list)
    """What of the answer is not what it would be from samples, for people."""
    _read: dict[tuple[object, ...], list[SeriesData]] = field(default_factory=dict)
    _touched: int = 0
    """Samples that the windows of one range function looked at so far."""

    def evaluate(self, node: Node) -> Vector | Scalar:
        """The value of an expression that is a scalar or an instant vector."""
        with np.errstate(all="ignore"):
            return self._evaluate(node)

    def _evaluate(self, node: Node) -> Vector | Scalar:
        if self.is_late():
            raise Late("query timed out in expression evaluation")
        if isinstance(node, Number):
            return Scalar(np.full(len(self.grid), node.value))
        if isinstance(node, Selector):
            return self._instant(node)
        if isinstance(node, Negation):
            found = self._evaluate(node.of)
            return Scalar(-found.values) if isinstance(found, Scalar) else functions.nameless(_negated(found))
        if isinstance(node, Aggregation):
            count = self._scalar(node.count) if node.count is not None else None
            return aggregate(node, self._vector(node.of), count)
        if isinstance(node, Binary):
            return binary(node, self._evaluate(node.left), self._evaluate(node.right))
        assert isinstance(node, Call), node
        return self._call(node)

    def _call(self, node: Call) -> Vector | Scalar:
        name, args = node.name, node.args
        if name in ranges.PLAIN:
            return self._windows(
                name, args[0], ranges.PLAIN[name], keeps_name=name == "last_over_time", by_fold=name in ranges.FOLDS
            )
        if name == "predict_linear":
            ahead = self._scalar(args[1])
            return self._windows(name, args[0], lambda window: ranges.predict_linear(window, self.grid, ahead))
        if name == "quantile_over_time":
            share = self._scalar(args[0])
            return self._windows(name, args[1], lambda window: ranges.quantile_over_time(window, share))
        if name == "time":
            return Scalar(self.grid / 1000)
        if name == "vector":
            return functions.vector_of(self._scalar(args[0]))
        if name == "scalar":
            return functions.scalar(self._vector(args[0]))
        if name == "absent":
            return functions.absent(args[0], self._vector(args[0]))
        if name == "timestamp":
            return self._timestamp(args[0])
        if name == "label_replace":
            texts = [arg.value for arg in args[1:] if isinstance(arg, Text)]
            return functions.label_replace(self._vector(args[0]), *texts)
        return functions.clamp(self._vector(args[0]), self._scalar(args[1]), is_lower=name == "clamp_min")

    def samples(self, node: Selector, from_ms: int, to_ms: int, newest_only: bool = False) -> list[SeriesData]:
        """A selector's series in ``[from_ms, to_ms)``, in order of their labels' first source; read once."""
        return [one for source in self.sources for one in self._read_from(source, node, from_ms, to_ms, newest_only)]

    def _read_from(
        self, source: Source, node: Selector, from_ms: int, to_ms: int, newest_only: bool = False
    ) -> list[SeriesData]:
        key = (id(source), tuple(one[:3] for one in node.matchers), from_ms, to_ms, newest_only)
        if key not in self._read:
            self._read[key] = source.select(node.matchers, from_ms, to_ms, self.scope, newest_only)
        return self._read[key]

    def _instant(self, node: Selector, as_times: bool = False) -> Vector:
        at_ms = self.grid - node.offset_ms
        lookback = np.full(len(at_ms), self.lookback_ms, np.int64)
        for before_ms, resolution_ms in self.coarse:
            lookback[at_ms < before_ms] = self.lookback_ms + resolution_ms
        first, end = int((at_ms - lookback).min()), int(at_ms[-1]) + 1
        is_one = len(self.grid) == 1
        parts = []
        for source in self.sources:
            near = source.newest(node.matchers, first, end, self.scope) if is_one and isinstance(source, Near) else None
            if near is not None:
                parts.append(newest_vector(near, as_times))
            else:
                found = self._read_from(source, node, first, end, newest_only=is_one)
                self._allow(len(found))
                parts.append(instant_vector(found, self.grid, lookback, node.offset_ms, as_times))
        vector = some(stacked([one for one in parts if one.labels], len(self.grid)))
        self._allow(len(vector.labels))
        return vector

    def _windows(
        self,
        name: str,
        node: Node,
        compute: Callable[[Window], ranges.Result],
        keeps_name: bool = False,
        by_fold: bool = False,
    ) -> Vector:
        assert isinstance(node, Selector), node
        assert node.range_ms is not None, node
        first, last = int(self.grid[0]) - node.offset_ms, int(self.grid[-1]) - node.offset_ms
        first -= node.range_ms
        self._touched = 0
        parts = []
        for source in self.sources:
            is_near = len(self.grid) == 1 and isinstance(source, Near)
            near = source.spans(node.matchers, first, last + 1, self.scope) if is_near else None  # type: ignore[attr-defined]
            if near is not None:
                parts.append(self._of_spans(node, near, compute))
                continue
            found = self._read_from(source, node, first, last + 1)
            self._allow(len(found))
            warn(self.warnings, name, node, found, first, self.coarse)
            for window in windows(found, self.grid, node.range_ms, node.offset_ms, by_fold):
                values, here = self._computed(node, window, compute)
                if here.any():
                    parts.append(Vector(window.labels, values, np.broadcast_to(here, values.shape)))
        vector = some(stacked([one for one in parts if one.labels], len(self.grid)))
        labels = vector.labels if keeps_name else nameless(vector.labels)
        if not is_unique(labels):
            raise ExecutionError("vector cannot contain metrics with the same labelset")
        return Vector(labels, vector.values, vector.here)

    def _of_spans(self, node: Selector, near: Spans, compute: Callable[[Window], ranges.Result]) -> Vector:
        """What the function says of each series at the one instant of the grid."""
        assert node.range_ms is not None, node
        self._allow(len(near.labels))
        values, here = np.zeros((len(near.labels), 1)), np.zeros((len(near.labels), 1), np.bool_)
        for rows, window in span_windows(near, int(self.grid[0]), node.range_ms, node.offset_ms):
            values[rows], here[rows] = self._computed(node, window, compute)
        return Vector(near.labels, values, here)

    def _computed(self, node: Node, window: Window, compute: Callable[[Window], ranges.Result]) -> ranges.Result:
        self._touched += int(window.counts.sum()) * len(window.values)
        if self._touched > MAX_TOUCHED:
            raise TooMuch(f"{node.text} looks at too many samples: ask for a shorter range or a longer step")
        if self.is_late():
            raise Late("query timed out in expression evaluation")
        return compute(window)

    def _timestamp(self, node: Node) -> Vector:
        if isinstance(node, Selector):
            return functions.nameless(self._instant(node, as_times=True))
        found = self._vector(node)
        times = np.broadcast_to(self.grid / 1000, found.values.shape)
        return functions.nameless(Vector(found.labels, times.copy(), found.here))

    def _vector(self, node: Node) -> Vector:
        found = self._evaluate(node)
        assert isinstance(found, Vector), node
        return found

    def _scalar(self, node: Node) -> Scalar:
        found = self._evaluate(node)
        assert isinstance(found, Scalar), node
        return found

    def _allow(self, series: int) -> None:
        if series * len(self.grid) > MAX_CELLS:
            raise TooMuch(
                f"query processing would load too many samples into memory: {series:,} series at {len(self.grid):,} "
                "steps; ask for fewer series, a shorter time or a longer step"
            )


def _negated(vector: Vector) -> Vector:
    return Vector(vector.labels, -vector.values, vector.here)


def reach_ms(node: Node, lookback_ms: int = LOOKBACK_MS) -> int:
    """How far back from an instant a query looks: what has to be kept at hand to answer it."""
    return max(
        (one.offset_ms + (one.range_ms if one.range_ms is not None else lookback_ms) for one in selectors(node)),
        default=0,
    )
