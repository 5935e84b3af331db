"""Query API requests to answers: what ``/api/v1/query`` and its neighbours do, without HTTP.

Sources answer by name: agents' series come from ``History``; series the collector makes itself can come from another
source, put beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from collector.history.answer import label_sets, matrix, scalar, vector
from collector.history.evaluate import LOOKBACK_MS, MAX_POINTS, Points, in_range, on_grid, steps
from collector.history.instants import BadParameter
from collector.history.matchers import Matchers
from collector.history.select import BadQuery, Number, Selector, parse, parse_selector
from collector.history.source import LabelSet, SeriesData, Source
from collector.store.scope import Scope

Answer = dict[str, Any]


class Query(NamedTuple):
    """The sources a query is answered from, and what its caller may see."""

    sources: Sequence[Source]
    scope: Scope

    def instant(self, text: str, at_ms: int, lookback_ms: int = LOOKBACK_MS) -> Answer:
        """``/api/v1/query``. Raises BadQuery, BadParameter or TooMuch, as all of these do."""
        asked = parse(text)
        if isinstance(asked, Number):
            return scalar(at_ms, asked.value)
        if asked.range_ms is not None:
            window_ms = asked.range_ms
            series = self._select(asked.matchers, at_ms - window_ms + 1, at_ms + 1)
            return matrix(_some(in_range(one, at_ms, window_ms) for one in series))
        series = self._select(asked.matchers, at_ms - lookback_ms + 1, at_ms + 1, newest_only=True)
        grid = steps(at_ms, at_ms, 1)
        return vector(_some(on_grid(one, grid, lookback_ms) for one in series))

    def range(self, text: str, start_ms: int, end_ms: int, step_ms: int, lookback_ms: int = LOOKBACK_MS) -> Answer:
        """``/api/v1/query_range``."""
        return matrix(self.points(text, start_ms, end_ms, step_ms, lookback_ms))

    def points(
        self, text: str, start_ms: int, end_ms: int, step_ms: int, lookback_ms: int = LOOKBACK_MS
    ) -> list[Points]:
        """What a plot shows: each series' value at every step from ``start_ms`` to ``end_ms``, both included."""
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
        asked = parse(text)
        grid = steps(start_ms, end_ms, step_ms)
        if isinstance(asked, Number):
            return [Points((), grid.tolist(), [asked.value] * len(grid))]
        if asked.range_ms is not None:
            raise BadQuery(
                'invalid parameter "query": invalid expression type "range vector" for range query, '
                "must be Scalar or instant Vector"
            )
        series = self._select(asked.matchers, start_ms - lookback_ms + 1, end_ms + 1)
        return _some(on_grid(one, grid, lookback_ms) for one in series)

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

    def _select(self, matchers: Matchers, from_ms: int, to_ms: int, newest_only: bool = False) -> list[SeriesData]:
        found: list[SeriesData] = []
        for source in self.sources:
            found += source.select(matchers, from_ms, to_ms, self.scope, newest_only)
        return sorted(found, key=lambda one: one.labels)


def _some(found: Iterable[Points | None]) -> list[Points]:
    return [one for one in found if one is not None]


__all__ = ["Answer", "Query", "Selector"]
