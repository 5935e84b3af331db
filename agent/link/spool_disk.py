"""The spool on the disk: one epoch of records, numbered from 1, synced before anybody sees them.

What became of each number is in ``Numbers``; what goes when there is no room is decided in ``Room``.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge

from agent.link.clock import Clock
from agent.link.files import Files
from agent.link.model import Loss, schema_hash
from agent.link.ranges import Range, Ranges
from agent.link.segment import KIND_SCHEMA, record_of
from agent.link.spool_acked import write_acked
from agent.link.spool_numbers import Numbers
from agent.link.spool_part import FAMILIES, SAMPLES, STATES, Part
from agent.link.spool_reader import PartReader
from agent.link.spool_record import (
    CORRUPT,
    Draft,
    LossDraft,
    RollUpDraft,
    SampleDraft,
    Spooled,
    hosts_of,
    loss_of,
    named,
    size_of,
)
from agent.link.spool_recover import Recovered
from agent.link.spool_room import Room
from agent.link.spool_withheld import make_good
from agent.link.spool_writer import SpoolWriter

RECENT_BYTES = 4 << 20
MAKE_GOOD_SECONDS = 60.0


class DiskSpool:
    """Not thread-safe; ``Spool`` holds the lock. Methods raise no OSError unless they say so."""

    def __init__(
        self,
        found: Recovered,
        files: Files,
        clock: Clock,
        agent_id: bytes,
        segment_bytes: int,
        offset_ms: Callable[[], int],
        make_room: Callable[[], bool],
    ) -> None:
        self.epoch = found.epoch
        self.generation = found.generation
        self.folder = found.folder
        self.numbers = Numbers(found.acked, found.losses, found.rollups)
        self._files = files
        self._clock = clock
        self._offset_ms = offset_ms
        self._parts = found.parts
        self._next_seq = found.next_seq
        self._recent: deque[tuple[float, Spooled]] = deque()
        self._recent_bytes = 0
        self._schemas: dict[bytes, bytes] = {}
        self._undeclared: list[Loss] = []
        self._make_good_at = 0.0
        self._reader = PartReader(files, found.folder, found.epoch)
        self._writer = SpoolWriter(files, found.folder, agent_id, found.epoch, self._parts, segment_bytes, make_room)
        self._room = Room(self, self._parts, self._reader, self._writer.is_open)
        self.declare(found.holes, CORRUPT)
        if found.rollups:  # a crash may have come between a roll-up and the end of the segment it was made of
            self.delete_settled()

    # ------------------------------------------------------------ writing

    def append(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Number and sync records: states first, then samples. Returns those the disk did not take."""
        self._declare_waiting()
        left: list[Draft] = []
        for family in (STATES, SAMPLES):
            mine = [draft for draft in drafts if (family == SAMPLES) == isinstance(draft, SampleDraft)]
            schemas = {draft.schema.hash: draft.schema.packed for draft in mine if isinstance(draft, SampleDraft)}
            records = self._write(family, mine, schemas)
            if not records and mine:
                left += mine
            self._schemas = schemas or self._schemas
            self._note_recent(records)
        return left

    def make_good(self) -> None:
        """Hand out what could not be synced at the start, where it can be now; one segment at a time."""
        part = next((part for part in self._parts if part.is_withheld), None)
        if part is None or self._clock.monotonic() < self._make_good_at:
            return
        if make_good(self._files, self.folder, self.epoch, part):
            self._reader.forget()
        else:
            self._make_good_at = self._clock.monotonic() + MAKE_GOOD_SECONDS

    def append_rollups(self, family: str, drafts: Sequence[RollUpDraft], schemas: dict[bytes, bytes]) -> bool:
        """Number and sync roll-ups; they are old news and never live. False where the disk took none."""
        records = self._write(family, drafts, schemas)
        for record, draft in zip(records, drafts, strict=False):
            self.numbers.note_rollup(record.seq, draft.rollup.replaces)
        return bool(records)

    def _write(self, family: str, drafts: Sequence[Draft], schemas: dict[bytes, bytes]) -> list[Spooled]:
        """The records, synced; none where the disk took them not."""
        records = [named(draft, self._next_seq + at) for at, draft in enumerate(drafts)]
        try:
            if records:
                self._writer.write(family, records, schemas, self._clock.wall_ms(), self._clock.monotonic())
        except OSError:
            return []
        self._next_seq += len(records)
        return records

    def _note_recent(self, records: Sequence[Spooled]) -> None:
        now = self._clock.monotonic()
        for record in records:
            self._recent.append((now, record))
            self._recent_bytes += size_of(record)
            if (loss := loss_of(record)) is not None:
                self.numbers.losses[record.seq] = loss
        while self._recent_bytes > RECENT_BYTES:
            self._recent_bytes -= size_of(self._recent.popleft()[1])

    def declare(self, ranges: Iterable[Range], reason: str) -> None:
        """Say that numbers will never come. Kept in memory until the disk takes it; a restart finds the hole anyway."""
        for first, last in ranges:
            self.numbers.lose(first, last)
            self._undeclared.append(Loss(first, last, reason))
        self._declare_waiting()

    def _declare_waiting(self) -> None:
        while self._undeclared:
            batch = self._undeclared[:256]
            stamp = self._clock.wall_ms(), self._offset_ms()
            records = self._write(STATES, [LossDraft(loss, *stamp) for loss in batch], {})
            if not records:
                return
            self._note_recent(records)
            del self._undeclared[: len(batch)]

    # ------------------------------------------------------------ handing out

    def live(self, since: float, held: Ranges) -> list[Spooled]:
        """Records appended at or after ``since`` (monotonic) that nobody has, oldest first."""
        while self._recent and self._recent[0][0] < since:
            self._recent_bytes -= size_of(self._recent.popleft()[1])
        return [r for _, r in self._recent if r.seq not in held and not self.numbers.is_done(r.seq)]

    def backlog(self, held: Ranges, count: int, max_bytes: int) -> list[Spooled]:
        """The newest records nobody has, ascending: states, samples, roll-ups. Live ones are left to the other lane."""
        blocked = Ranges([*self.numbers.done(), *held, *((r.seq, r.seq) for _, r in self._recent)])
        return self._reader.newest(self._parts, blocked, count, max_bytes)

    def oldest(self, exported: Ranges, count: int, max_bytes: int) -> list[Spooled]:
        """The oldest records that were not exported yet, ascending."""
        return self._reader.oldest(self._parts, Ranges([*self.numbers.done(), *exported]), count, max_bytes)

    def older_than(self, wall_ms: int) -> list[Range]:
        """Numbers in segments that begin before an instant of this machine's clock."""
        return [span for part in self._parts if (part.oldest_ms or 0) < wall_ms for span in part.seqs]

    def schema(self, wanted: bytes) -> bytes | None:
        """The packed schema of a hash, None where no segment has it."""
        if (packed := self._schemas.get(wanted)) is not None:
            return packed
        for part in reversed(self._parts):
            for frame in self._reader.frames(part) if wanted in part.schemas else ():
                if frame.kind == KIND_SCHEMA and schema_hash(frame.payload) == wanted:
                    return frame.payload
        return None

    def is_done(self, seq: int) -> bool:
        return self.numbers.is_done(seq)

    def hosts(self, seqs: Ranges) -> list[str]:
        return hosts_of(self.find(seqs), self.schema)

    def note_sent(self, seqs: Iterable[int]) -> None:
        self.numbers.note_sent(seqs)

    # ------------------------------------------------------------ settling and making room

    def settle(self, ranges: Iterable[Range]) -> None:
        """A receipt of the centre covers these numbers; what was handed out of them is done with."""
        self.numbers.settle(ranges)
        self.delete_settled()

    def delete_settled(self) -> bool:
        """Take away the segments of which nothing is needed any more. Whether there were any."""
        done = self.numbers.done()
        newest = max((part.age_order for part in self._parts), default=None)
        lent = set().union(*(part.borrowed for part in self._parts))
        doomed = [
            part
            for part in self._parts
            if not self._writer.is_open(part)
            and part.age_order != newest
            and not part.schemas & lent - part.borrowed
            and all(done.covers(*span) for span in part.seqs)
        ]
        if doomed:
            with contextlib.suppress(OSError):  # nothing is deleted without it; the next receipt tries again
                self.write_acked()
                for part in doomed:
                    self.remove(part)
                return True
        return False

    def write_acked(self) -> None:
        """Raises OSError."""
        write_acked(self._files, self.folder, self.epoch, self.numbers.acked)

    def make_room(self, limit: int, reason: str) -> bool:
        """Take one segment away where the spool takes more than ``limit``; False where nothing is to do or to take."""
        return self._room.make(limit, reason)

    def remove(self, part: Part) -> None:
        self._parts.remove(part)
        with contextlib.suppress(OSError):  # found again at the next start, and known to be settled
            self._files.remove(f"{self.folder}/{part.name}")

    # ------------------------------------------------------------ looking

    @property
    def lost_count(self) -> int:
        return self.numbers.lost_count

    @property
    def rolled_up_count(self) -> int:
        return self._room.rolled_up_count

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self._parts)

    def waiting(self) -> tuple[int, int | None]:
        """How many records the centre has not settled, and when the oldest of them was taken (ms).

        Exact while it is a recent one; in the backlog, the oldest of its segment stands for it.
        """
        known = self.numbers.done()
        recent = {record.seq: record.taken_at_ms for _, record in self._recent}
        count, oldest = 0, None
        for part in self._parts:
            missing = [gap for span in part.seqs for gap in known.gaps(*span)]
            if missing:
                count += sum(last - first + 1 for first, last in missing)
                taken_at_ms = recent.get(missing[0][0], part.oldest_ms or 0)
                oldest = taken_at_ms if oldest is None else min(oldest, taken_at_ms)
        return count, oldest

    def find(self, seqs: Ranges) -> Iterator[Spooled]:
        """Records by number, whatever became of them; read from the disk."""
        for part in self._parts:
            if any(part.seqs.gaps(*span) != [span] for span in seqs):
                frames = [
                    f
                    for f in self._reader.frames(part)
                    if f.kind != KIND_SCHEMA and f.seq in seqs and f.seq in part.seqs
                ]
                yield from map(record_of, frames)

    def unsettled(self) -> Iterator[Spooled | Loss]:
        """Everything that is not settled, in the order of numbers, each loss in the place of what was lost.

        Raises OSError where a segment cannot be read.
        """
        families = [self._unsettled_of(family) for family in FAMILIES]
        losses = [*self.numbers.losses.values(), *self._undeclared]
        yield from merge(*families, sorted(losses), key=lambda r: r.first if isinstance(r, Loss) else r.seq)

    def _unsettled_of(self, family: str) -> Iterator[Spooled]:
        for part in self._of_family(family):
            for frame in self._reader.read(part):
                is_open = frame.seq in part.seqs and not self.numbers.is_done(frame.seq)
                if frame.kind != KIND_SCHEMA and is_open and frame.seq not in self.numbers.losses:
                    yield record_of(frame)

    def _of_family(self, family: str) -> list[Part]:
        return sorted((part for part in self._parts if part.family == family), key=lambda part: part.age_order)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.write_acked()
        self._writer.seal()
