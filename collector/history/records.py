"""Envelopes as they lie in the log, to samples by schema: what both the chunk job and a query read.

An envelope of one report holds one instant, so the work per envelope is opening it; all arithmetic is done once for
the whole gathering.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from agent.link.model import MAX_INT, Record
from agent.link.names import FUTURE_LIMIT_MS, KIND_ROLLUP
from agent.link.wire import Block, WireError, open_body, open_envelope, open_header, open_record
from collector.history.chunk import Instants, Samples
from collector.history.rolled import Rolled, RolledRows, read_rolled
from collector.log.positions import read_accepted


class Origin(NamedTuple):
    """Samples that may be joined: one agent, one epoch, one schema."""

    agent_id: bytes
    epoch: bytes
    schema_hash: bytes


class LogRow(NamedTuple):
    """What is read of a row of ``envelopes``."""

    id: int
    agent_id: bytes
    epoch: bytes
    received_at_ms: int
    accepted: bytes
    packed: bytes


class _Rows:
    """Samples of one origin as they come in."""

    __slots__ = ("offsets", "received", "seqs", "taken", "words")

    def __init__(self) -> None:
        self.received: list[int] = []
        self.seqs: list[int] = []
        self.taken: list[int] = []
        self.offsets: list[int] = []
        self.words: list[bytes] = []


class Gathering:
    """Collects the sample records of log rows. ``wanted`` schemas only, where given.

    ``widths`` says how many columns a schema has; what does not fit it is left out. Left out
    too: what is not before ``until_ms``, numbers another envelope brought first, what lies more than 60 s ahead of its receipt, and what is older than
    ``oldest_ms``. Everything left out for a reason is in ``dropped``.
    """

    def __init__(
        self, widths: dict[bytes, int], oldest_ms: int, wanted: frozenset[bytes] | None = None, until_ms: int = MAX_INT
    ) -> None:
        self._widths = widths
        self._oldest_ms = oldest_ms
        self._wanted = wanted
        self._until_ms = until_ms
        self.newest: dict[Origin, int] = {}
        """Time of the newest sample taken, by origin."""
        self._rows: dict[Origin, _Rows] = {}
        self._rolled: dict[Origin, RolledRows] = {}
        self.dropped: Counter[str] = Counter()

    def add(self, row: LogRow) -> bool:
        """Take what one envelope brought first; False, and nothing taken, where it uses a schema that is not known."""
        try:
            return self._add(row)
        except WireError:  # it was whole when it was accepted: the database was damaged
            self.dropped["malformed"] += 1
            return True

    def _add(self, row: LogRow) -> bool:
        accepted = read_accepted(row.accepted)
        news = set(accepted.seqs)
        if accepted.future:
            self.dropped["future"] += len(news.intersection(accepted.future))
            news.difference_update(accepted.future)
        if not news:
            return True
        header, _signature, packed_body = open_envelope(row.packed)
        opened = open_header(header)
        body = open_body(packed_body, opened)
        records: list[Record] = []
        for raw in body.records:
            record = open_record(raw, opened)
            if record.kind == KIND_ROLLUP:
                records.append(record)
        blocks = [b for b in body.blocks if self._wanted is None or b.schema_hash in self._wanted]
        if any(block.schema_hash not in self._widths for block in blocks):
            return False
        rolled = [found for record in records if (found := read_rolled(record, self._wanted)) is not None]
        if any(one.schema_hash not in self._widths for one in rolled):
            return False
        for block in blocks:
            self._take(row, block, news)
        for one in rolled:
            self._take_rolled(row, one, news)
        return True

    def _take_rolled(self, row: LogRow, rolled: Rolled, news: set[int]) -> None:
        if rolled.seq not in news or rolled.ended_ms >= self._until_ms:
            return
        if rolled.ended_ms < self._oldest_ms:
            self.dropped["expired"] += 1
            return
        if rolled.width != self._widths[rolled.schema_hash]:
            self.dropped["malformed"] += 1
            return
        origin = Origin(row.agent_id, row.epoch, rolled.schema_hash)
        self._rolled.setdefault(origin, RolledRows()).add(rolled)

    def _take(self, row: LogRow, block: Block, news: set[int]) -> None:
        latest_ms = row.received_at_ms + FUTURE_LIMIT_MS
        count, width = len(block.seqs), self._widths[block.schema_hash]
        if len(block.columns) != 8 * width * count:
            self.dropped["malformed"] += count
            return
        columns = [block.columns] if count == 1 else _instants(block.columns, width, count)
        origin = Origin(row.agent_id, row.epoch, block.schema_hash)
        rows = self._rows.get(origin)
        if rows is None:
            rows = self._rows[origin] = _Rows()
        for seq, taken, offset, words in zip(block.seqs, block.taken_at_ms, block.offset_ms, columns, strict=True):
            if seq not in news:
                continue
            if not self._oldest_ms <= taken + offset <= latest_ms:
                self.dropped["expired" if taken + offset < self._oldest_ms else "future"] += 1
                continue
            if taken + offset >= self._until_ms:
                continue
            if taken + offset > self.newest.get(origin, -MAX_INT):
                self.newest[origin] = taken + offset
            rows.received.append(row.received_at_ms)
            rows.seqs.append(seq)
            rows.taken.append(taken)
            rows.offsets.append(offset)
            rows.words.append(words)

    def samples(self) -> dict[Origin, Samples]:
        """All that was taken, in order of arrival, one ``Samples`` for each origin."""
        found = {}
        for origin, rows in self._rows.items():
            if not rows.seqs:
                continue
            offsets = np.array(rows.offsets, dtype=np.int64)
            width = self._widths[origin.schema_hash]
            words = np.frombuffer(b"".join(rows.words), "<u8").reshape(len(rows.seqs), width).T
            found[origin] = Samples(
                np.array(rows.taken, dtype=np.int64) + offsets,
                offsets,
                np.array(rows.seqs, dtype=np.int64),
                words,
            )
        return found

    def received(self, origin: Origin) -> Instants:
        """When each sample of an origin was received, in the order of ``samples``."""
        return np.array(self._rows[origin].received, dtype=np.int64)

    def rolled(self) -> dict[Origin, RolledRows]:
        """The roll-ups that were taken."""
        return self._rolled


def _instants(columns: bytes, width: int, count: int) -> list[bytes]:
    """One row of words for each instant of a block."""
    mixed = np.frombuffer(columns, "<u8").reshape(width, count)
    plain = np.ascontiguousarray(np.bitwise_xor.accumulate(mixed, axis=1).T)
    return [plain[at].tobytes() for at in range(count)]


def without_repeats(samples: Samples) -> Samples:
    """The same samples with each sequence number once; a chunk and the log's tail may hold the same ones."""
    _, first = np.unique(samples.seqs, return_index=True)
    if len(first) == len(samples.seqs):
        return samples
    return Samples(samples.times[first], samples.offsets[first], samples.seqs[first], samples.words[:, first])
