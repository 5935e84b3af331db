"""Roll-ups of agents' spools in history: what stands where an outage outlasted the room on the agent's disk.

A plot or a query sees one point for each roll-up: the ``last`` value at the end of its window, which is exactly what
was true then. Nothing is interpolated and no mean is shown as if it had been measured. The smallest, the largest, the
sum and the count are kept beside it for ``min_over_time`` and its kind, and the falls of counters. ``up`` is 1 all through a window, as
often as samples were taken in it: the host was there, only the details are gone.

A chunk of roll-ups has flag 1. Its words are six rows of columns, each as wide as the schema: ``last`` (at the places
of a sample's own words, so that a plain reader needs to know nothing), ``count``, ``low``, ``high``, ``total``,
``resets``; absent where a column has none. Its integers are times (ends of windows), offsets, begins, and samples taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.model import Record
from agent.link.names import ABSENT_WORD
from agent.link.rollup import RollUp, rollup_of
from collector.history.chunk import Instants, Packed, Samples, Words, pack, unpack_more, unpack_times

ROLLED = 1
"""Flag of a chunk."""
PARTS = 6
PRESENT_AT_MOST = 10_000
"""Instants for ``up`` out of one roll-up."""


class BadRollUp(Exception):
    """A roll-up does not fit the kinds of its schema's columns."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """A roll-up record."""

    seq: int
    offset_ms: int
    said: RollUp

    @property
    def schema_hash(self) -> bytes:
        return self.said.schema_hash

    @property
    def ended_ms(self) -> int:
        return self.said.ended_ms

    @property
    def width(self) -> int:
        return len(self.said.last) // 8


class RolledSamples(NamedTuple):
    """In order of their numbers; ``samples.words`` has shape (6 x W, T), ``times`` are the ends of the windows."""

    samples: Samples
    began: Instants
    counts: Instants
    """How many samples are in each: of the column that has most."""


class RolledRows:
    """Roll-ups of one origin as they come in."""

    def __init__(self) -> None:
        self._rows: dict[int, Rolled] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, rolled: Rolled) -> None:
        self._rows[rolled.seq] = rolled

    @property
    def span_ms(self) -> tuple[int, int]:
        """From the first begin to the last end; there is at least one."""
        rows = self._rows.values()
        return min(row.said.began_ms for row in rows), max(row.ended_ms for row in rows)

    def samples(self, counters: NDArray[np.bool_]) -> RolledSamples:
        """All of them. Raises BadRollUp where one does not fit these columns."""
        rows = [self._rows[seq] for seq in sorted(self._rows)]
        words = np.stack([laid_out(row.said, counters) for row in rows], axis=1)
        width = len(counters)
        counts = words[width : 2 * width].view(np.float64)
        most = np.nan_to_num(counts.max(axis=0), nan=1.0, posinf=PRESENT_AT_MOST, neginf=1.0) if width else 1.0
        samples = Samples(
            np.array([row.ended_ms for row in rows], np.int64),
            np.array([row.offset_ms for row in rows], np.int64),
            np.array([row.seq for row in rows], np.int64),
            words,
        )
        began = np.array([row.said.began_ms for row in rows], np.int64)
        return RolledSamples(samples, began, np.clip(most, 1, PRESENT_AT_MOST).astype(np.int64) * np.ones_like(began))


def read_rolled(record: Record, wanted: frozenset[bytes] | None) -> Rolled | None:
    """A roll-up record of a schema that is wanted (any where None); None for others, and for what is no roll-up."""
    try:
        found = rollup_of(record)
    except ValueError:  # intake saw a roll-up here: the database was damaged
        return None
    if found is None or (wanted is not None and found.schema_hash not in wanted):
        return None
    return Rolled(record.seq, record.offset_ms, found)


def laid_out(rollup: RollUp, counters: NDArray[np.bool_]) -> Words:
    """Its words as one column of a chunk, shape (6 x W,). Raises BadRollUp."""
    width, falls = len(counters), int(counters.sum())
    if len(rollup.last) != 8 * width or len(rollup.resets) != 8 * falls or len(rollup.low) != 8 * (width - falls):
        raise BadRollUp(
            f"{len(rollup.last) // 8} columns, {len(rollup.resets) // 8} counters: expected {width}, {falls}"
        )
    words = np.full((PARTS, width), ABSENT_WORD, np.uint64)
    words[0] = np.frombuffer(rollup.last, "<u8")
    words[1] = np.frombuffer(rollup.counts, "<u8")
    for row, part in zip((2, 3, 4), (rollup.low, rollup.high, rollup.total), strict=True):
        words[row, ~counters] = np.frombuffer(part, "<u8")
    words[5, counters] = np.frombuffer(rollup.resets, "<u8")
    return words.reshape(-1)


def pack_rolled(samples: Samples, began: Instants, counts: Instants) -> Packed:
    return pack(samples, began, counts)


def unpack_windows(count: int, packed: bytes) -> tuple[Instants, Instants, Instants]:
    """(begins, ends, samples taken) of a chunk of roll-ups."""
    began, counts = unpack_more(count, packed)
    return began, unpack_times(count, packed), counts


def folded(words: Words, width: int, places: NDArray[np.intp]) -> NDArray[np.float64]:
    """Count, low, high, total and falls of some columns of windows, shape (5, columns, T). Of a counter, and of what has none
    of these, each instant stands for its last value as often as samples were taken. Count 0 where there was nothing at all."""
    last = words[places]
    found = np.stack([words[part * width + places] for part in (1, 2, 3, 4, 5)])
    is_bare = found == ABSENT_WORD
    numbers = found.view(np.float64)
    numbers[0][is_bare[0]] = (last != ABSENT_WORD)[is_bare[0]]
    value = last.view(np.float64)
    for part, stand_in in ((1, value), (2, value), (3, value * numbers[0]), (4, np.zeros_like(value))):
        numbers[part][is_bare[part]] = stand_in[is_bare[part]]
    return numbers


def plainly(words: Words) -> NDArray[np.float64]:
    """The same of samples: each stands for itself, once."""
    value = words.view(np.float64)
    return np.stack([(words != ABSENT_WORD).astype(np.float64), value, value, value, np.zeros_like(value)])


def folded_columns(width: int, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where a chunk of windows has everything about some columns; ``folded`` takes them by ``np.arange``."""
    return np.concatenate([part * width + places for part in range(PARTS)])


def spread(began: Instants, ended: Instants, counts: Instants) -> Instants:
    """Instants at which the host was there: as many in each window as samples were taken, evenly."""
    windows = [
        np.linspace(first, last, int(count)).astype(np.int64)
        for first, last, count in zip(began, ended, counts, strict=True)
    ]
    return np.unique(np.concatenate([*windows, ended])) if windows else ended
