"""The last samples of some columns of one host, in order of time, in one block of memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collector.history.chunk import Instants, Words

FIRST_ROOM = 8


class Strip:
    """``ids`` are the columns' numbers, ascending, and ``places`` where they stand in a sample of the schema.

    Samples stand one behind the other with room after them; what is forgotten leaves room before them, and is written
    over when the room behind is used up.
    """

    __slots__ = ("_begin", "_end", "_times", "_words", "ids", "places", "row")

    def __init__(self, ids: NDArray[np.int32], places: NDArray[np.intp]) -> None:
        self.ids = ids
        self.places = places
        self._times = np.zeros(FIRST_ROOM, np.int64)
        self._words = np.zeros((FIRST_ROOM, len(ids)), np.uint64)
        self._begin = self._end = 0
        self.row = 0
        """Its number among all strips, kept by whoever has them all."""

    def __len__(self) -> int:
        return self._end - self._begin

    @property
    def times(self) -> Instants:
        return self._times[self._begin : self._end]

    @property
    def words(self) -> Words:
        """Shape (T, columns)."""
        return self._words[self._begin : self._end]

    def sample(self, at: int) -> Words:
        """The words of one sample; anything at all where ``at`` is -1."""
        row: Words = self._words[min(self._begin + max(at, 0), len(self._words) - 1)]
        return row

    def add(self, at_ms: int, sample: Words) -> None:
        """Take a sample of the schema; of two of one time the first stands."""
        if self._end > self._begin and at_ms <= self._times[self._end - 1]:
            self._put_in(at_ms, sample)
            return
        if self._end == len(self._times):
            self._make_room()
        self._times[self._end] = at_ms
        self._words[self._end] = sample[self.places]
        self._end += 1

    def forget(self, before_ms: int) -> None:
        if self._end > self._begin and self._times[self._begin] < before_ms:
            self._begin += int(np.searchsorted(self.times, before_ms))

    def newest(self, before_ms: int) -> int:
        """Where the newest sample before an instant stands among ``words``; -1 where there is none."""
        if self._end > self._begin and self._times[self._end - 1] < before_ms:
            return self._end - self._begin - 1
        return int(np.searchsorted(self.times, before_ms)) - 1

    def _put_in(self, at_ms: int, sample: Words) -> None:
        at = int(np.searchsorted(self.times, at_ms))
        if self.times[at] != at_ms:
            self._times = np.insert(self.times, at, at_ms)
            self._words = np.insert(self.words, at, sample[self.places], axis=0)
            self._begin, self._end = 0, len(self._times)

    def _make_room(self) -> None:
        count = len(self)
        room = len(self._times) if count <= len(self._times) * 3 // 4 else len(self._times) * 3 // 2
        times, words = np.zeros(room, np.int64), np.zeros((room, len(self.ids)), np.uint64)
        times[:count], words[:count] = self.times, self.words
        self._times, self._words, self._begin, self._end = times, words, 0, count
