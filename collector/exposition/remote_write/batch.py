"""Samples ready to be sent: arrays in order of time, and any stretch of them as a remote write body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import snappy
from numpy.typing import NDArray

from collector.exposition.remote_write.message import WriteRequest
from collector.history.chunk import Instants, Words

SAMPLE_BYTES = 22
"""An encoded sample, with the tags and lengths around it and its series, at today's instants."""


class Piece(NamedTuple):
    """A stretch ``[first, end)`` of a batch."""

    first: int
    end: int

    @property
    def samples(self) -> int:
        return self.end - self.first


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples in order of time, then host, then series; each series at each instant once.

    ``numbers`` and ``hosts`` say of each sample which series of ``series`` (encoded labels) and which host it is of.
    """

    series: list[bytes]
    numbers: NDArray[np.int64]
    hosts: NDArray[np.int64]
    times: Instants
    words: Words

    def __len__(self) -> int:
        return len(self.times)

    def pieces(self, samples: int, size: int) -> Iterator[Piece]:
        """The whole in pieces of at most so many samples, and so many bytes before compression."""
        lengths = np.array([len(one) for one in self.series], np.int64)
        ends = np.cumsum(lengths[self.numbers] + SAMPLE_BYTES)
        first = 0
        while first < len(self.times):
            before = int(ends[first - 1]) if first else 0
            end = int(np.searchsorted(ends, before + size, side="right"))
            end = min(max(end, first + 1), first + samples, len(self.times))
            yield Piece(first, end)
            first = end

    def is_one_report(self, piece: Piece) -> bool:
        """Whether a piece is of one host at one instant."""
        first, last = piece.first, piece.end - 1
        return bool(self.times[first] == self.times[last] and self.hosts[first] == self.hosts[last])

    def encoded(self, piece: Piece) -> bytes:
        """The body of a request, compressed: each series once, its samples in order of time."""
        return bytes(snappy.compress(self.message(piece)))

    def message(self, piece: Piece) -> bytes:
        stretch = slice(piece.first, piece.end)
        order = np.argsort(self.numbers[stretch], kind="stable")
        numbers = self.numbers[stretch][order].tolist()
        times = self.times[stretch][order].tolist()
        values = self.words[stretch][order].view(np.float64).tolist()
        request = WriteRequest()
        last, samples = -1, None
        for number, at_ms, value in zip(numbers, times, values, strict=True):
            if number != last:
                series = request.timeseries.add()
                series.MergeFromString(self.series[number])
                samples, last = series.samples, number
            samples.add(value=value, timestamp=at_ms)  # type: ignore[union-attr]  # the first number is never -1
        done: bytes = request.SerializeToString()
        return done
