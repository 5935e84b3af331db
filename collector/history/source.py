"""What a query is answered from: sources of series, each of which knows some names."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from agent.link.names import ABSENT_WORD
from collector.history.chunk import Instants, Words
from collector.history.matchers import Matchers
from collector.store.scope import Scope

LabelSet = tuple[tuple[str, str], ...]
"""Labels in order of their names, ``__name__`` among them, none of them empty."""
T = TypeVar("T")
MADE_KEPT = 24


class LabelSets(list[LabelSet]):
    """The labels of many series, never edited once made, and what was last made of them.

    A rule asks the same hosts for the same series every minute. Who pairs with whom, and what a group is called, follows
    from labels alone: where a source gives the very same list again, that is looked up, not worked out.
    """

    __slots__ = ("_made",)

    def __init__(self, sets: Iterable[LabelSet] = ()) -> None:
        super().__init__(sets)
        self._made: dict[Hashable, tuple[tuple[LabelSets, ...], Any]] = {}

    def made(self, what: Hashable, make: Callable[[], T], *others: LabelSets) -> T:
        """What ``make`` makes of these labels and the others; made anew where any list is another than last time."""
        known = self._made.pop(what, None)
        if known is None or len(known[0]) != len(others) or any(a is not b for a, b in zip(known[0], others)):  # noqa: B905
            known = (others, make())
        self._made[what] = known
        for oldest in list(self._made)[:-MADE_KEPT]:  # several threads may ask
            self._made.pop(oldest, None)
        found: T = known[1]
        return found

    def kept(self, mask: NDArray[np.bool_]) -> LabelSets:
        """Those where the mask says so."""
        return self.made(
            ("kept", mask.tobytes()), lambda: LabelSets([self[at] for at in np.flatnonzero(mask).tolist()])
        )

    def followed_by(self, *others: LabelSets) -> LabelSets:
        if not others:
            return self
        return self.made("followed", lambda: LabelSets([*self, *(one for some in others for one in some)]), *others)

    def and_more(self, more: Iterable[LabelSet]) -> LabelSets:
        """The same list for the same few more."""
        added = tuple(more)
        return self.made(("more", added), lambda: LabelSets([*self, *added])) if added else self


COUNT, LOW, HIGH, TOTAL, FELL = range(5)


class SeriesData(NamedTuple):
    """One series between two instants. ``times`` ascend and are unique, in milliseconds; ``words`` are bit patterns.

    An ``ABSENT_WORD`` says that the host reported without this series: from there on it has no value.
    """

    labels: LabelSet
    times: Instants
    words: Words
    folded: NDArray[np.float64] | None = None
    """Where some of it is windows: rows ``COUNT``, ``LOW``, ``HIGH`` and ``TOTAL`` of what each instant stands for, and how
    often a counter ``FELL`` in it; a sample stands for itself."""

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


class Newest(NamedTuple):
    """The newest sample of each of many series: when it was taken and its word, ``ABSENT_WORD`` where there is none."""

    labels: LabelSets
    times: Instants
    words: Words


def beside(found: Sequence[Newest]) -> Newest:
    """Several as one."""
    if len(found) == 1:
        return found[0]
    if not found:
        return Newest(LabelSets(), np.empty(0, np.int64), np.empty(0, np.uint64))
    first, *rest = (one.labels for one in found)
    return Newest(
        first.followed_by(*rest),
        np.concatenate([one.times for one in found]),
        np.concatenate([one.words for one in found]),
    )


class Spans(NamedTuple):
    """The samples of many series in one window, shapes (S, N): the newest in the last place, ``ABSENT_WORD`` where there
    is none."""

    labels: LabelSets
    times: Instants
    words: Words


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


@runtime_checkable
class Near(Source, Protocol):
    """A source that has what is new at hand, side by side.

    Both answer what ``select`` would, or None where not all of it is at hand; ``select`` is asked then. The labels are
    the very same list for as long as the same series are there.
    """

    def newest(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> Newest | None: ...

    def spans(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> Spans | None: ...
