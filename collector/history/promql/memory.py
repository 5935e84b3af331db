"""A source of series held in memory: what tests of rules are fed with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from agent.link.names import ABSENT_WORD
from collector.history.matchers import Matchers, accept
from collector.history.source import LabelSet, SeriesData
from collector.store.scope import Scope


class Memory:
    """Samples by series, in order of time. None says that a series ended."""

    def __init__(self) -> None:
        self._times: dict[LabelSet, list[int]] = {}
        self._words: dict[LabelSet, list[int]] = {}

    def add(self, labels: LabelSet, at_ms: int, value: float | None) -> None:
        times = self._times.setdefault(labels, [])
        words = self._words.setdefault(labels, [])
        word = ABSENT_WORD if value is None else int(np.float64(value).view(np.uint64))
        if times and times[-1] == at_ms:
            words[-1] = word
            return
        assert not times or times[-1] < at_ms, (labels, at_ms)
        times.append(at_ms)
        words.append(word)

    def select(
        self,
        matchers: Matchers,
        from_ms: int,
        to_ms: int,
        scope: Scope,  # noqa: ARG002 - what is in memory belongs to whoever put it there
        newest_only: bool = False,  # noqa: ARG002
    ) -> list[SeriesData]:
        found = []
        for labels in self._named(matchers):
            times = np.array(self._times[labels], np.int64)
            part = slice(*np.searchsorted(times, [from_ms, to_ms]).tolist())
            if part.start < part.stop:
                found.append(SeriesData(labels, times[part], np.array(self._words[labels][part], np.uint64)))
        return found

    def label_sets(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> list[LabelSet]:
        return [one.labels for one in self.select(matchers, from_ms, to_ms, scope)]

    def _named(self, matchers: Matchers) -> Iterable[LabelSet]:
        return (labels for labels in self._times if accept(matchers, dict(labels)))
