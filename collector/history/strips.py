"""All strips: which host has which, the newest sample of each side by side, and where a selector's series stand in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.names import ABSENT_WORD
from collector.history.chunk import Instants, Words
from collector.history.records import Origin
from collector.history.source import LabelSets, Newest, Spans
from collector.history.strip import Strip

NEVER_MS = -(1 << 62)
Key = tuple[str, Origin, int]
"""Host, where its samples came from, and how far back somebody looks at the columns."""
Of = dict[Origin, list[Strip]]


class Columns(NamedTuple):
    """Some columns of one strip."""

    strip: Strip
    columns: NDArray[np.intp]


def where(strip: Strip, ids: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which of some columns a strip has, and where they stand in it."""
    if not len(strip.ids):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    at = np.minimum(np.searchsorted(strip.ids, ids), len(strip.ids) - 1)
    rows = np.flatnonzero(strip.ids[at] == ids)
    return rows, at[rows]


class Choice:
    """The series of a selector: good for as long as the same strips are there, and hosts are whose they were."""

    def __init__(self, chosen: Sequence[Columns], labels: LabelSets) -> None:
        counts = [len(one.columns) for one in chosen]
        self.chosen = chosen
        self.labels = labels
        self.rows = np.repeat(np.array([one.strip.row for one in chosen], np.intp), counts)
        """For each series, which strip it is in."""
        self.columns = np.concatenate([one.columns for one in chosen] or [np.empty(0, np.intp)])


class _Flat(NamedTuple):
    """The newest sample of each strip before an instant, one behind the other."""

    before_ms: int
    times: Instants
    starts: NDArray[np.intp]
    words: Words


class Strips:
    def __init__(self) -> None:
        self.by_key: dict[Key, Strip] = {}
        self._of_host: dict[str, Of] = {}
        self.version = 0
        """Grows when a strip comes or goes."""
        self._flat: _Flat | None = None

    def get(self, key: Key, ids: NDArray[np.int32], places: NDArray[np.intp]) -> Strip:
        """The strip of a key, made on first use with these columns of a sample."""
        strip = self.by_key.get(key)
        if strip is None:
            order = np.argsort(ids, kind="stable")
            strip = self.by_key[key] = Strip(ids[order], places[order])
            self._of_host.setdefault(key[0], {}).setdefault(key[1], []).append(strip)
            self._changed()
        return strip

    def of_host(self, host: str) -> Of:
        return self._of_host.get(host, {})

    def changed(self) -> None:
        """Samples came or went."""
        self._flat = None

    def forget(self, now_ms: int, late_ms: int) -> None:
        """Drop what nobody looks back to any more."""
        empty = []
        for key, strip in self.by_key.items():
            strip.forget(now_ms - key[2] - late_ms)
            if not len(strip):
                empty.append(key)
        for key in empty:
            strip = self.by_key.pop(key)
            of = self._of_host[key[0]]
            of[key[1]].remove(strip)
            if not of[key[1]]:
                del of[key[1]]
        if empty:
            self._changed()
        self._flat = None

    def newest(self, choice: Choice, from_ms: int, to_ms: int) -> Newest:
        flat = self._newest_before(to_ms)
        times = flat.times[choice.rows]
        words = flat.words[flat.starts[choice.rows] + choice.columns]
        return Newest(choice.labels, times, np.where(times >= from_ms, words, np.uint64(ABSENT_WORD)))

    def spans(self, choice: Choice, from_ms: int, to_ms: int) -> Spans:
        parts = []
        for strip, columns in choice.chosen:
            end = strip.newest(to_ms) + 1
            begin = int(np.searchsorted(strip.times[:end], from_ms))
            parts.append((strip.times[begin:end], strip.words[begin:end, columns].T))
        return side_by_side(choice.labels, parts)

    def _newest_before(self, to_ms: int) -> _Flat:
        flat = self._flat
        if flat is None or flat.before_ms != to_ms:
            found = [(strip, strip.newest(to_ms)) for strip in self.by_key.values()]
            sizes = np.array([len(strip.ids) for strip, _ in found], np.intp)
            samples = [strip.sample(at) for strip, at in found]
            flat = self._flat = _Flat(
                to_ms,
                np.array([strip.times[at] if at >= 0 else NEVER_MS for strip, at in found], np.int64),
                np.cumsum(sizes) - sizes,
                np.concatenate(samples) if samples else np.empty(0, np.uint64),
            )
        return flat

    def _changed(self) -> None:
        self.version += 1
        self._flat = None
        for row, strip in enumerate(self.by_key.values()):
            strip.row = row


def side_by_side(labels: LabelSets, parts: Sequence[tuple[Instants, Words]]) -> Spans:
    """Series with instants (T,) and words (series, T) of their own, the newest of each in the last place."""
    longest = max((len(times) for times, _ in parts), default=0)
    all_times = np.zeros((len(labels), longest), np.int64)
    all_words = np.full((len(labels), longest), ABSENT_WORD, np.uint64)
    row = 0
    for times, words in parts:
        rows, places = slice(row, row + len(words)), slice(longest - len(times), longest)
        all_times[rows, places] = times
        all_words[rows, places] = words
        row += len(words)
    return Spans(labels, all_times, all_words)
