"""The spool on the disk: one epoch of records, numbered from 1, synced before anybody sees them.

What may be deleted: only numbers that a receipt of the centre covers *and* that this process handed out. The second
half protects a machine that was rolled back or copied: the centre may hold a twin's records under the same numbers,
and only sending ours lets it see the fork. After a restart, unsettled records are therefore sent once more.
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
from agent.link.segment import KIND_SCHEMA, Frame, record_of, scan, segment_seed
from agent.link.spool_acked import write_acked
from agent.link.spool_part import SAMPLES, STATES, Part
from agent.link.spool_record import CORRUPT, Draft, LossDraft, SampleDraft, Spooled, loss_of, named, size_of
from agent.link.spool_recover import Recovered
from agent.link.spool_writer import SpoolWriter

RECENT_BYTES = 4 << 20
LOSS_BYTES = 96
"""A loss record on the disk, at most."""


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
        self.lost_count = 0
        self._files = files
        self._clock = clock
        self._offset_ms = offset_ms
        self._parts = found.parts
        self._acked = found.acked
        self._losses = found.losses
        self._lost = Ranges((loss.first, loss.last) for loss in found.losses.values())
        self._next_seq = found.next_seq
        self._sent = Ranges()
        self._recent: deque[tuple[float, Spooled]] = deque()
        self._recent_bytes = 0
        self._schemas: dict[bytes, bytes] = {}
        self._undeclared: list[Loss] = []
        self._cached: tuple[str, int, list[Frame]] = ("", 0, [])
        self._writer = SpoolWriter(files, found.folder, agent_id, found.epoch, self._parts, segment_bytes, make_room)
        self.declare(found.holes, CORRUPT)

    # ------------------------------------------------------------ writing

    def append(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Number and sync records: states first, then samples. Returns those the disk did not take."""
        self._declare_waiting()
        left: list[Draft] = []
        for family in (STATES, SAMPLES):
            mine = [draft for draft in drafts if (family == SAMPLES) == isinstance(draft, SampleDraft)]
            if mine and not self._append_family(family, mine):
                left += mine
        return left

    def _append_family(self, family: str, drafts: Sequence[Draft]) -> bool:
        records = [named(draft, self._next_seq + at) for at, draft in enumerate(drafts)]
        now = self._clock.monotonic()
        schemas = {draft.schema.hash: draft.schema.packed for draft in drafts if isinstance(draft, SampleDraft)}
        try:
            self._writer.write(family, records, schemas, self._clock.wall_ms(), now)
        except OSError:
            return False
        self._next_seq += len(records)
        self._schemas = schemas or self._schemas
        for record in records:
            self._recent.append((now, record))
            self._recent_bytes += size_of(record)
            if (loss := loss_of(record)) is not None:
                self._losses[record.seq] = loss
        while self._recent_bytes > RECENT_BYTES:
            self._recent_bytes -= size_of(self._recent.popleft()[1])
        return True

    def declare(self, ranges: Iterable[Range], reason: str) -> None:
        """Say that numbers will never come. Kept in memory until the disk takes it; a restart finds the hole anyway."""
        for first, last in ranges:
            self._lost.add(first, last)
            self.lost_count += last - first + 1
            self._undeclared.append(Loss(first, last, reason))
        self._declare_waiting()

    def _declare_waiting(self) -> None:
        while self._undeclared:
            batch = self._undeclared[:256]
            stamp = self._clock.wall_ms(), self._offset_ms()
            if not self._append_family(STATES, [LossDraft(loss, *stamp) for loss in batch]):
                return
            del self._undeclared[: len(batch)]

    # ------------------------------------------------------------ handing out

    def live(self, since: float, held: Ranges) -> list[Spooled]:
        """Records appended at or after ``since`` (monotonic) that nobody has, oldest first."""
        while self._recent and self._recent[0][0] < since:
            self._recent_bytes -= size_of(self._recent.popleft()[1])
        return [
            r for _, r in self._recent if r.seq not in held and r.seq not in self._acked and r.seq not in self._lost
        ]

    def backlog(self, held: Ranges, count: int, max_bytes: int) -> list[Spooled]:
        """The newest records nobody has, states before samples, ascending. Live ones are left to the other lane."""
        blocked = Ranges([*self._acked, *self._lost, *held, *((r.seq, r.seq) for _, r in self._recent)])
        taken: list[Spooled] = []
        size = 0
        for family in (STATES, SAMPLES):
            for part in reversed(self._of_family(family)):
                wanted = Ranges(gap for span in part.seqs for gap in blocked.gaps(*span))
                if part.is_withheld or not wanted:
                    continue
                for frame in reversed(self._frames(part)):
                    if frame.kind == KIND_SCHEMA or frame.seq not in wanted:
                        continue
                    record = record_of(frame)
                    size += size_of(record)
                    if taken and (len(taken) >= count or size > max_bytes):
                        return sorted(taken, key=lambda r: r.seq)
                    taken.append(record)
        return sorted(taken, key=lambda r: r.seq)

    def schema(self, wanted: bytes) -> bytes | None:
        """The packed schema of a hash, None where no segment has it."""
        if (packed := self._schemas.get(wanted)) is not None:
            return packed
        for part in reversed(self._parts):
            for frame in self._frames(part) if wanted in part.schemas else ():
                if frame.kind == KIND_SCHEMA and schema_hash(frame.payload) == wanted:
                    return frame.payload
        return None

    def note_sent(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            self._sent.add(seq)

    # ------------------------------------------------------------ settling and making room

    def settle(self, ranges: Iterable[Range]) -> None:
        """A receipt of the centre covers these numbers; what was handed out of them is done with."""
        for first, last in ranges:
            for a, b in self._sent:
                if max(a, first) <= min(b, last):
                    self._acked.add(max(a, first), min(b, last))
        for seq in [seq for seq in self._losses if seq in self._acked]:
            loss = self._losses.pop(seq)
            self._acked.add(loss.first, loss.last)
        self._delete_settled()

    def _delete_settled(self) -> None:
        done = Ranges([*self._acked, *self._lost])
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
                    self._remove(part)

    def write_acked(self) -> None:
        """Raises OSError."""
        write_acked(self._files, self.folder, self.epoch, self._acked)

    def drop_oldest(self, reason: str) -> bool:
        """Give up the oldest sealed segment: samples as long as there are any, then states. False where none is left.

        A segment is worth giving up only where declaring its numbers takes less room than it frees: one that holds
        little but losses would be written again for ever.
        """
        newest = max((part.age_order for part in self._parts), default=None)  # it tells the next number after a crash
        sealed = [part for part in self._parts if not self._writer.is_open(part) and part.age_order != newest]
        lent = set().union(*(part.borrowed for part in self._parts))
        known = Ranges([*self._acked, *self._lost])
        for victim in sorted(
            sealed, key=lambda part: (part.family != SAMPLES, bool(part.schemas & lent), part.age_order)
        ):
            doomed = Ranges(gap for span in victim.seqs for gap in known.gaps(*span))
            losses = [seq for seq in self._losses if seq in victim.seqs]
            for seq in losses:  # what they declared must still be said, so the new declaration covers it too
                doomed.add(self._losses[seq].first, self._losses[seq].last)
            if len(doomed) * LOSS_BYTES > victim.bytes - victim.bytes // 4:
                continue
            for seq in losses:
                loss = self._losses.pop(seq)
                self.lost_count -= loss.last - loss.first + 1
            self.declare(doomed, reason)
            self._remove(victim)
            return True
        return False

    def _remove(self, part: Part) -> None:
        self._parts.remove(part)
        with contextlib.suppress(OSError):  # found again at the next start, and known to be settled
            self._files.remove(f"{self.folder}/{part.name}")

    # ------------------------------------------------------------ looking

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self._parts)

    def waiting(self) -> tuple[int, int | None]:
        """How many records the centre has not settled, and when the oldest of them was taken (ms).

        Exact while it is a recent one; in the backlog, the oldest of its segment stands for it.
        """
        known = Ranges([*self._acked, *self._lost])
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
                    f for f in self._frames(part) if f.kind != KIND_SCHEMA and f.seq in seqs and f.seq in part.seqs
                ]
                yield from map(record_of, frames)

    def unsettled(self) -> Iterator[Spooled | Loss]:
        """Everything that is not settled, in the order of numbers, each loss in the place of what was lost.

        Raises OSError where a segment cannot be read.
        """
        families = [self._unsettled_of(family) for family in (SAMPLES, STATES)]
        losses = [*self._losses.values(), *self._undeclared]
        yield from merge(*families, sorted(losses), key=lambda r: r.first if isinstance(r, Loss) else r.seq)

    def _unsettled_of(self, family: str) -> Iterator[Spooled]:
        for part in self._of_family(family):
            for frame in self._read_frames(part):
                is_open = frame.seq in part.seqs and frame.seq not in self._acked and frame.seq not in self._lost
                if frame.kind != KIND_SCHEMA and is_open and frame.seq not in self._losses:
                    yield record_of(frame)

    def _of_family(self, family: str) -> list[Part]:
        return sorted((part for part in self._parts if part.family == family), key=lambda part: part.age_order)

    def _frames(self, part: Part) -> list[Frame]:
        """The whole records of a segment; the last segment read is kept. What cannot be read now is simply not there."""
        name, size, frames = self._cached
        if (name, size) != (part.name, part.bytes):
            try:
                frames = self._read_frames(part)
            except OSError:
                return []
            self._cached = (part.name, part.bytes, frames)
        return frames

    def _read_frames(self, part: Part) -> list[Frame]:
        data = self._files.read(f"{self.folder}/{part.name}", 0, part.bytes)
        return scan(data, segment_seed(self.epoch, part.name)).frames

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.write_acked()
        self._writer.seal()
