"""Running without a disk: records kept in memory, under an epoch of their own that dies with the process.

A full or broken disk must not silence the agent: what it measures now is the product. Such records cannot carry the
numbers of the disk's epoch, because a crash would make it give the same numbers to other records. A fresh random epoch
has no past that a crash could repeat. When the limit is reached, the oldest samples go first, then the oldest states,
never what was just measured. The loss is declared in this epoch; declarations nobody has seen yet are put together, or
they would come to fill the memory themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.link.clock import Chance, Clock
from agent.link.model import Loss, Sample
from agent.link.ranges import Range, Ranges
from agent.link.spool_record import (
    DISK_FULL,
    Draft,
    LossDraft,
    SampleDraft,
    Spooled,
    hosts_of,
    loss_of,
    named,
    renamed,
    size_of,
)

MEMORY_BYTES = 2 << 20
KEPT_RATIO = 0.75
LOSS_BYTES = 64 + 64
"""A loss record in memory, about."""


class MemorySpool:
    """The same handing-out as ``DiskSpool``, in memory of at most ``max_bytes``."""

    def __init__(self, clock: Clock, chance: Chance, max_bytes: int = MEMORY_BYTES) -> None:
        self.epoch = chance.bytes(8)
        self.lost_count = 0
        self._clock = clock
        self._chance = chance
        self._max_bytes = max_bytes
        self._records: dict[int, tuple[float, Spooled]] = {}
        self._schemas: dict[bytes, bytes] = {}
        self._bytes = 0
        self._next_seq = 1
        self._sent = Ranges()

    def append(self, drafts: Sequence[Draft]) -> None:
        first_new = self._next_seq
        for draft in drafts:
            if isinstance(draft, SampleDraft):
                self._schemas[draft.schema.hash] = draft.schema.packed
            self._add(draft)
        if self._bytes > self._max_bytes:
            self._shrink(first_new, drafts[-1].taken_at_ms, drafts[-1].offset_ms)

    def _add(self, draft: Draft) -> None:
        record = named(draft, self._next_seq)
        self._next_seq += 1
        self._records[record.seq] = (self._clock.monotonic(), record)
        self._bytes += size_of(record)

    def _shrink(self, first_new: int, taken_at_ms: int, offset_ms: int) -> None:
        dropped = self._withdrawn()
        oldest_first = sorted(
            (seq for seq, (_, record) in self._records.items() if seq < first_new and loss_of(record) is None),
            key=lambda seq: (not isinstance(self._records[seq][1], Sample), seq),
        )
        for seq in oldest_first:
            if self._bytes + LOSS_BYTES * len(dropped) <= self._max_bytes * KEPT_RATIO:
                break
            self._forget(seq)
            dropped.add(seq)
        self._declare(dropped, DISK_FULL, taken_at_ms, offset_ms)

    def _withdrawn(self) -> Ranges:
        """Take back the declarations that were never handed out: what they say, and their own numbers, to be said anew."""
        ranges = Ranges()
        for seq, (_, record) in list(self._records.items()):
            loss = loss_of(record)
            if loss is not None and loss.reason == DISK_FULL and seq not in self._sent:
                self.lost_count -= loss.last - loss.first + 1
                self._forget(seq)
                ranges.add(loss.first, loss.last)
                ranges.add(seq)
        return ranges

    def _declare(self, ranges: Iterable[Range], reason: str, taken_at_ms: int, offset_ms: int) -> None:
        for first, last in ranges:
            self.lost_count += last - first + 1
            self._add(LossDraft(Loss(first, last, reason), taken_at_ms, offset_ms))

    def declare(self, ranges: Iterable[Range], reason: str) -> None:
        spans = list(ranges)
        self.settle_all(spans)
        self._declare(spans, reason, self._clock.wall_ms(), 0)

    def _forget(self, seq: int) -> None:
        found = self._records.pop(seq, None)
        if found is not None:
            self._bytes -= size_of(found[1])
        if not any(isinstance(record, Sample) for _, record in self._records.values()):
            self._schemas.clear()

    def live(self, since: float, held: Ranges) -> list[Spooled]:
        return [record for at, record in self._records.values() if at >= since and record.seq not in held]

    def backlog(self, held: Ranges, count: int, max_bytes: int) -> list[Spooled]:
        taken: list[Spooled] = []
        size = 0
        for seq in sorted(self._records, reverse=True):
            record = self._records[seq][1]
            if seq in held:
                continue
            size += size_of(record)
            if taken and (len(taken) >= count or size > max_bytes):
                break
            taken.append(record)
        return taken[::-1]

    def oldest(self, exported: Ranges, count: int, max_bytes: int) -> list[Spooled]:
        taken: list[Spooled] = []
        for seq in sorted(self._records):
            record = self._records[seq][1]
            if seq in exported:
                continue
            max_bytes -= size_of(record)
            if taken and (len(taken) >= count or max_bytes < 0):
                break
            taken.append(record)
        return taken

    def older_than(self, _: int) -> list[Range]:
        """All of them, whatever their age: memory is short."""
        return [(seq, seq) for seq in self._records]

    def schema(self, wanted: bytes) -> bytes | None:
        return self._schemas.get(wanted)

    def is_done(self, seq: int) -> bool:
        return seq not in self._records

    def hosts(self, seqs: Ranges) -> list[str]:
        return hosts_of(self.find(seqs), self.schema)

    def note_sent(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            self._sent.add(seq)

    def settle(self, ranges: Iterable[Range]) -> None:
        self.settle_all((max(a, x), min(b, y)) for a, b in ranges for x, y in self._sent if max(a, x) <= min(b, y))

    def settle_all(self, ranges: Iterable[Range]) -> None:
        spans = Ranges(ranges)
        for seq in [seq for seq in self._records if seq in spans]:
            self._forget(seq)

    def find(self, seqs: Ranges) -> Iterable[Spooled]:
        return [record for seq, (_, record) in self._records.items() if seq in seqs]

    @property
    def bytes(self) -> int:
        return self._bytes

    def waiting(self) -> tuple[int, int | None]:
        oldest = min((record.taken_at_ms for _, record in self._records.values()), default=None)
        return len(self._records), oldest

    def renew(self) -> None:
        """The centre saw a fork: the same records under new numbers of a new epoch."""
        self.epoch = self._chance.bytes(8)
        kept = [self._records[seq] for seq in sorted(self._records)]
        self._records = {n: (at, renamed(record, n)) for n, (at, record) in enumerate(kept, 1)}
        self._next_seq = len(kept) + 1
        self._sent = Ranges()
