"""The collector's own series over time: what it says on ``/metrics``, and what rules record.

A *stream* is what is sampled together (the fleet; one group of rules), a *layout* which series a sample holds. What a
stream's newest sample leaves out has ended, as with a host's reports. The last minutes are kept in memory too, because
rules ask for them all the time.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from agent.link.names import ABSENT_WORD
from collector.history import own_queries as queries
from collector.history.chunk import MAX_COUNT, Instants, Words, unpack_times, unpack_words
from collector.history.matchers import Matchers
from collector.history.own_layout import OwnLayout, unpacked
from collector.history.own_rows import row_of, runs, thinner, together
from collector.history.source import LabelSet, Newest, SeriesData, Spans, beside
from collector.store.engine import Store
from collector.store.scope import Scope

log = logging.getLogger(__name__)

MEMORY_MS = 20 * 60_000
ALONE_MS = 60 * 60_000
"""How long a sample stands alone before it is put together with its neighbours."""
AT_ONCE = 5_000
SPARSE, FEW = 4, 32
"""A layout is kept while a sample fills this part of it, or while it is small."""
Row = tuple[LabelSet, float]


class _Sample(NamedTuple):
    at_ms: int
    layout: bytes
    words: NDArray[np.uint64]


class Noted(NamedTuple):
    """A sample that is to be written."""

    stream: str
    layout: bytes
    at_ms: int
    words: NDArray[np.uint64]


class _Piece(NamedTuple):
    """Some instants of one layout; no words where nothing of it was asked for."""

    layout: bytes
    times: Instants
    words: Words | None


class OwnSeries:
    """A ``Source``, and the place own series are recorded. Any thread may record a stream of its own, and any may ask."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._layouts: dict[bytes, OwnLayout] = {}
        self._streams: dict[str, set[bytes]] = {}
        self._memory: dict[str, deque[_Sample]] = {}
        self._memory_from_ms: int | None = None
        self._written: set[bytes] = set()
        self._noting = threading.Lock()

    def restore(self, now_ms: int) -> None:
        """Know again what the rows hold; call once, before anything is recorded."""
        since_ms = now_ms - MEMORY_MS
        with self._store.reading() as connection:
            for name, packed in queries.layouts(connection):
                self._layouts[name] = unpacked(packed)
            for stream, layout in queries.stream_layouts(connection):
                self._streams.setdefault(stream, set()).add(layout)
            found = [*queries.samples_between(connection, self._streams, since_ms, 1 << 62, self._layouts)]
        for row in found:
            words = unpack_words(row.count, row.data)
            kept = self._memory.setdefault(row.stream, deque())
            for at, at_ms in enumerate(unpack_times(row.count, row.times).tolist()):
                kept.append(_Sample(at_ms, row.layout, words[:, at]))
        self._memory_from_ms = since_ms

    def note(self, stream: str, rows: Sequence[Row], at_ms: int) -> Noted:
        """Take down what a stream says at one instant: every series of it, or it counts as ended. Asked for from now
        on; ``write`` makes it durable."""
        values = np.array([value for _, value in rows], np.float64).view(np.uint64)
        with self._noting:
            name, words = self._fitted(stream, [labels for labels, _ in rows], values)
            if name not in self._streams.get(stream, ()):
                self._streams = {**self._streams, stream: {*self._streams.get(stream, ()), name}}
            self._remember(stream, _Sample(at_ms, name, words))
        return Noted(stream, name, at_ms, words)

    def _fitted(self, stream: str, labels: list[LabelSet], values: Words) -> tuple[bytes, Words]:
        """A layout the series fit in, and the sample in it. Series that come and go, as alerts do, leave holes in one
        layout: a new one for each of their turns would be most of what is written."""
        before = self._memory.get(stream)
        if before:
            known = self._layouts[before[-1].layout]
            if known.labels == tuple(labels):
                return before[-1].layout, values
            places = known.places(labels)
            if places is None:
                more = [one for one in labels if known.places([one]) is None]
                if len(known.labels) + len(more) <= SPARSE * len(labels):
                    name, known = self._layout([*known.labels, *more])
                    places = known.places(labels)
            elif len(known.labels) <= SPARSE * max(len(labels), FEW):
                name = before[-1].layout
            else:
                places = None
            if places is not None:
                words = np.full(len(known.labels), ABSENT_WORD, np.uint64)
                words[places] = values
                return name, words
        name, _ = self._layout(labels)
        return name, values

    def _layout(self, labels: list[LabelSet]) -> tuple[bytes, OwnLayout]:
        made = OwnLayout(labels)
        name = hashlib.sha256(made.packed).digest()[:16]
        known = self._layouts.get(name)
        if known is None:
            self._layouts = {**self._layouts, name: made}
        return name, known or made

    def write(self, connection: Connection, noted: Iterable[Noted]) -> None:
        """Make samples durable."""
        rows = []
        for one in noted:
            if one.layout not in self._written:
                queries.add_layout(connection, one.layout, self._layouts[one.layout].packed)
                self._written.add(one.layout)
            times = np.array([one.at_ms], np.int64)
            rows.append(row_of(one.stream, one.layout, times, one.words[:, np.newaxis], every=True))
        queries.add_samples(connection, rows)

    def select(
        self,
        matchers: Matchers,
        from_ms: int,
        to_ms: int,
        scope: Scope,
        newest_only: bool = False,  # noqa: ARG002 - everything near is in memory
    ) -> list[SeriesData]:
        """Every own series the matchers name that the caller may see, with its samples of ``[from_ms, to_ms)``."""
        wanted = self._wanted(matchers, scope)
        streams = [name for name, layouts in self._streams.items() if not layouts.isdisjoint(wanted)]
        if not streams:
            return []
        found: list[SeriesData] = []
        if self._memory_from_ms is not None and from_ms >= self._memory_from_ms:
            for stream in streams:
                found += self._series(self._remembered(stream, from_ms, to_ms, wanted), wanted)
            return found
        by_stream: dict[str, list[_Piece]] = defaultdict(list)
        with self._store.reading() as connection:
            for row in queries.samples_between(connection, streams, from_ms, to_ms, wanted):
                by_stream[row.stream].append(_cut(row, wanted, from_ms, to_ms))
        for pieces in by_stream.values():
            found += self._series(pieces, wanted)
        return found

    def newest(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> Newest | None:
        """What each stream's newest sample before ``to_ms`` says: what that leaves out has ended."""
        if self._memory_from_ms is None or from_ms < self._memory_from_ms:
            return None
        found = []
        for kept in list(self._memory.values()):
            sample = next((one for one in reversed(list(kept)) if one.at_ms < to_ms), None)
            if sample is None or sample.at_ms < from_ms:
                continue
            places, labels = self._layouts[sample.layout].find(matchers, scope)
            if len(places):
                found.append(Newest(labels, np.full(len(places), sample.at_ms, np.int64), sample.words[places]))
        return beside(found)

    def spans(
        self,
        matchers: Matchers,  # noqa: ARG002
        from_ms: int,  # noqa: ARG002
        to_ms: int,  # noqa: ARG002
        scope: Scope,  # noqa: ARG002
    ) -> Spans | None:
        """Few look back at these: ``select`` puts them together."""
        return None

    def label_sets(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> list[LabelSet]:
        return [one.labels for one in self.select(matchers, from_ms, to_ms, scope)]

    def compact(self, now: datetime) -> datetime | None:
        """Put samples that stand alone together; soon again where there are more."""
        before_ms = round(now.timestamp() * 1000) - ALONE_MS
        with self._store.reading() as connection:
            rows = queries.single_samples(connection, before_ms, AT_ONCE)
        done: list[int] = []
        made: list[dict[str, Any]] = []
        for run in runs(rows):
            if len(run) > 1:
                made.append(together(run))
                done += [row.id for row in run]
        if done:
            with self._store.transaction() as connection:
                assert queries.delete_samples(connection, done) == len(done), "two compactions at once"
                queries.add_samples(connection, made)
        return now if len(rows) == AT_ONCE and done else None

    def thin(self, before_ms: int) -> int:
        """Of what is older keep one sample for five minutes, the last; how many rows were made thinner."""
        total = 0
        while True:
            with self._store.reading() as connection:
                rows = queries.thick_samples(connection, before_ms, AT_ONCE // MAX_COUNT)
            if not rows:
                return total
            made = [thinner(row) for row in rows]
            with self._store.transaction() as connection:
                queries.delete_samples(connection, [row.id for row in rows])
                queries.add_samples(connection, made)
            total += len(rows)

    def forget(self, before_ms: int) -> int:
        """Drop what is too old; how many rows."""
        with self._store.transaction() as connection:
            deleted = queries.delete_before(connection, before_ms)
            kept = {name for name, _ in queries.layouts(connection)}
        self._written = set()  # layouts nobody used any more are gone with them
        with self._noting:
            kept |= {sample.layout for samples in self._memory.values() for sample in samples}
            self._layouts = {name: layout for name, layout in self._layouts.items() if name in kept}
            self._streams = {name: some for name, layouts in self._streams.items() if (some := layouts & kept)}
        return deleted

    def _remember(self, stream: str, sample: _Sample) -> None:
        kept = self._memory.setdefault(stream, deque())
        kept.append(sample)
        since_ms = sample.at_ms - MEMORY_MS
        while len(kept) > 1 and kept[0].at_ms < since_ms:
            kept.popleft()
        if self._memory_from_ms is None or self._memory_from_ms < since_ms:
            self._memory_from_ms = since_ms

    def _remembered(self, stream: str, from_ms: int, to_ms: int, wanted: dict[bytes, NDArray[np.intp]]) -> list[_Piece]:
        by_layout: dict[bytes, list[_Sample]] = {}
        for sample in list(self._memory.get(stream, ())):
            if from_ms <= sample.at_ms < to_ms:
                by_layout.setdefault(sample.layout, []).append(sample)
        return [
            _Piece(
                layout,
                np.array([one.at_ms for one in samples], np.int64),
                np.stack([one.words[wanted[layout]] for one in samples], axis=1) if layout in wanted else None,
            )
            for layout, samples in by_layout.items()
        ]

    def _wanted(self, matchers: Matchers, scope: Scope) -> dict[bytes, NDArray[np.intp]]:
        """By layout, places of the series asked for."""
        found = {name: layout.find(matchers, scope).places for name, layout in self._layouts.items()}
        return {name: places for name, places in found.items() if len(places)}

    def _series(self, pieces: list[_Piece], wanted: dict[bytes, NDArray[np.intp]]) -> list[SeriesData]:
        """The series of one stream, over all its instants."""
        if not pieces:
            return []
        times = np.unique(np.concatenate([piece.times for piece in pieces]))
        numbers: dict[LabelSet, int] = {}
        rows = {
            layout: [numbers.setdefault(self._layouts[layout].labels[at], len(numbers)) for at in places.tolist()]
            for layout, places in wanted.items()
            if any(piece.layout == layout for piece in pieces)
        }
        words = np.full((len(numbers), len(times)), ABSENT_WORD, np.uint64)
        for piece in pieces:
            if piece.words is not None:
                places = np.array(rows[piece.layout], np.intp)
                words[np.ix_(places, np.searchsorted(times, piece.times))] = piece.words
        there = (words != ABSENT_WORD).any(axis=1).tolist()
        return [SeriesData(labels, times, words[at]) for labels, at in numbers.items() if there[at]]


def _cut(row: Any, wanted: dict[bytes, NDArray[np.intp]], from_ms: int, to_ms: int) -> _Piece:
    times = unpack_times(row.count, row.times)
    inside = (times >= from_ms) & (times < to_ms)
    places = wanted.get(row.layout)
    words = None if places is None else unpack_words(row.count, row.data, places)[:, inside]
    return _Piece(row.layout, times[inside], words)
