"""What a query is answered from: sources of series, each of which knows some names."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.link.names import ABSENT_WORD
from collector.history.chunk import Instants, Words
from collector.history.matchers import Matchers
from collector.store.scope import Scope

LabelSet = tuple[tuple[str, str], ...]
"""Labels in order of their names, ``__name__`` among them, none of them empty."""


COUNT, LOW, HIGH, TOTAL = range(4)


class SeriesData(NamedTuple):
    """One series between two instants. ``times`` ascend and are unique, in milliseconds; ``words`` are bit patterns.

    An ``ABSENT_WORD`` says that the host reported without this series: from there on it has no value.
    """

    labels: LabelSet
    times: Instants
    words: Words
    folded: NDArray[np.float64] | None = None
    """Where some of it is windows: rows ``COUNT``, ``LOW``, ``HIGH`` and ``TOTAL`` of what each instant stands for; a
    sample stands for itself."""

    @property
    def present(self) -> SeriesData:
        """Without the instants at which the series was absent."""
        here = self.words != ABSENT_WORD
        if here.all():
            return self
        folded = None if self.folded is None else self.folded[:, here]
        return SeriesData(self.labels, self.times[here], self.words[here], folded)

    @property
    def values(self) -> NDArray[np.float64]:
        """The words as numbers; only meaningful where present."""
        return self.words.view(np.float64)


class Points(NamedTuple):
    """What an answer shows of a series: instants in milliseconds and values, equally many, at least one."""

    labels: LabelSet
    times: list[int]
    values: list[float]


class TooMuch(Exception):
    """A query would read more than one query may; the message says how much and what to do."""


class Source(Protocol):
    """Answers selectors for the names it knows, and with nothing for all others.

    Times are milliseconds, half-open ``[from_ms, to_ms)``. Only what ``scope`` allows is answered. Raises TooMuch.
    """

    def select(
        self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope, newest_only: bool = False
    ) -> list[SeriesData]:
        """``newest_only`` says that of each host only the last sample in reach matters; more may be given."""

    def label_sets(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> list[LabelSet]:
        """Labels of what ``select`` would give, without reading values; may name a series with no sample in reach."""
