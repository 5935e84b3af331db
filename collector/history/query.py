"""Query API requests to answers: what ``/api/v1/query`` and its neighbours do, without HTTP.

Sources answer by name: agents' series come from ``History``; series the collector makes itself can come from another
source, put beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from collector.history.answer import label_sets, matrix, scalar, seconds, vector
from collector.history.chunk import Instants
from collector.history.instants import BadParameter
from collector.history.matchers import Matchers
from collector.history.promql.evaluate import LOOKBACK_MS, Evaluator
from collector.history.promql.parse import BadQuery, parse, parse_selector
from collector.history.promql.plan import MATRIX, STRING, TYPE_WORDS, Aggregation, Selector, Text
from collector.history.promql.values import ExecutionError, Scalar, Vector
from collector.history.source import LabelSet, Points, Source
from collector.store.scope import Scope

Answer = dict[str, Any]
MAX_POINTS = 11_000


class Query(NamedTuple):
    """The sources a query is answered from, and what its caller may see."""

    sources: Sequence[Source]
    scope: Scope
    is_late: Callable[[], bool] = lambda: False
    """Whether the time one query may take is over."""
    coarse: Sequence[tuple[int, int]] = ()
    """(before when, resolution) of history that is only there in windows."""
    warnings: list[str] | None = None
    """Where given, what of the answer is not what it would be from samples is added to it."""

    def instant(self, text: str, at_ms: int, lookback_ms: int = LOOKBACK_MS) -> Answer:
        """``/api/v1/query``. Raises BadQuery, BadParameter, TooMuch, ExecutionError or Late, as all of these do."""
        asked = parse(text)
        if isinstance(asked, Text):
            return {"resultType": "string", "result": [seconds(at_ms), asked.value]}
        evaluator = self._evaluator(steps(at_ms, at_ms, 1), lookback_ms)
        if isinstance(asked, Selector) and asked.range_ms is not None:
            return matrix(_in_range(evaluator, asked, at_ms - asked.offset_ms, asked.range_ms))
        found = evaluator.evaluate(asked)
        if isinstance(found, Scalar):
            return scalar(at_ms, float(found.values[0]))
        is_ordered = isinstance(asked, Aggregation) and asked.op == "topk"
        points = _points(found, evaluator.grid)
        return vector(points if is_ordered else sorted(points, key=lambda one: one.labels))

    def range(self, text: str, start_ms: int, end_ms: int, step_ms: int, lookback_ms: int = LOOKBACK_MS) -> Answer:
        """``/api/v1/query_range``."""
        return matrix(self.points(text, start_ms, end_ms, step_ms, lookback_ms))

    def points(
        self, text: str, start_ms: int, end_ms: int, step_ms: int, lookback_ms: int = LOOKBACK_MS
    ) -> list[Points]:
        """What a plot shows: each series' value at every step from ``start_ms`` to ``end_ms``, both included."""
        check_range(start_ms, end_ms, step_ms)
        asked = parse(text)
        if asked.type in (MATRIX, STRING):
            raise BadQuery(
                f'invalid parameter "query": invalid expression type "{TYPE_WORDS[asked.type]}" for range query, '
                "must be Scalar or instant Vector"
            )
        grid = steps(start_ms, end_ms, step_ms)
        found = self._evaluator(grid, lookback_ms).evaluate(asked)
        if isinstance(found, Scalar):
            return [Points((), grid.tolist(), found.values.tolist())]
        return sorted(_points(found, grid), key=lambda one: one.labels)

    def _evaluator(self, grid: Instants, lookback_ms: int) -> Evaluator:
        told = [] if self.warnings is None else self.warnings
        return Evaluator(self.sources, self.scope, grid, lookback_ms, self.coarse, self.is_late, told)

    def series(self, selectors: Sequence[str], start_ms: int, end_ms: int) -> list[dict[str, str]]:
        """``/api/v1/series``."""
        if not selectors:
            raise BadParameter("no match[] parameter provided")
        return label_sets(sorted(self._label_sets(selectors, start_ms, end_ms)))

    def labels(self, selectors: Sequence[str], start_ms: int, end_ms: int) -> list[str]:
        """``/api/v1/labels``: names of labels."""
        return sorted({label for one in self._label_sets(selectors, start_ms, end_ms) for label, _ in one})

    def values(self, label: str, selectors: Sequence[str], start_ms: int, end_ms: int) -> list[str]:
        """``/api/v1/label/NAME/values``."""
        found = self._label_sets(selectors, start_ms, end_ms)
        return sorted({value for one in found for name, value in one if name == label})

    def _label_sets(self, selectors: Sequence[str], start_ms: int, end_ms: int) -> set[LabelSet]:
        if end_ms < start_ms:
            raise BadParameter('invalid parameter "end": end timestamp must not be before start time')
        asked: list[Matchers] = [parse_selector(text) for text in selectors] or [()]
        found: set[LabelSet] = set()
        for matchers in asked:
            for source in self.sources:
                found.update(source.label_sets(matchers, start_ms, end_ms + 1, self.scope))
        return found


def steps(start_ms: int, end_ms: int, step_ms: int) -> Instants:
    """The instants of a range query, both ends included."""
    return np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)


def check_range(start_ms: int, end_ms: int, step_ms: int) -> None:
    """Raises BadParameter, in Prometheus' own words, where no grid can be made of these."""
    if end_ms < start_ms:
        raise BadParameter('invalid parameter "end": end timestamp must not be before start time')
    if step_ms <= 0:
        raise BadParameter(
            'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
            "Try a positive integer"
        )
    if (end_ms - start_ms) // step_ms > MAX_POINTS:
        raise BadParameter(
            f"exceeded maximum resolution of {MAX_POINTS:,} points per timeseries. "
            "Try decreasing the query resolution (?step=XX)"
        )


def _points(found: Vector, grid: Instants) -> list[Points]:
    return [
        Points(labels, grid[here].tolist(), values[here].tolist())
        for labels, values, here in zip(found.labels, found.values, found.here, strict=True)
        if here.any()
    ]


def _in_range(evaluator: Evaluator, asked: Selector, at_ms: int, range_ms: int) -> list[Points]:
    """The samples of ``[at - range, at]`` as they are."""
    found = []
    for one in evaluator.samples(asked, at_ms - range_ms, at_ms + 1):
        here = one.present
        if len(here.times):
            found.append(Points(one.labels, here.times.tolist(), here.values.tolist()))
    return sorted(found, key=lambda one: one.labels)


__all__ = ["Answer", "BadQuery", "ExecutionError", "Query"]
