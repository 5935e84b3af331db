"""Making room: one segment at a time is rolled up or given up, in the order of ``spool_order``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from agent.link.ranges import Range, Ranges
from agent.link.segment import KIND_SCHEMA, record_of
from agent.link.spool_numbers import Numbers
from agent.link.spool_order import HOURS_MS, WORTH_RATIO, is_over, moves, rolled_up
from agent.link.spool_part import HOURS, MINUTES, SAMPLES, STATES, Part
from agent.link.spool_reader import PartReader
from agent.link.spool_record import CORRUPT, RollUpDraft, schema_of

LOSS_BYTES = 96
"""A loss record on the disk, at most."""


class Shelf(Protocol):
    """What is asked of the spool on the disk."""

    numbers: Numbers

    def schema(self, wanted: bytes) -> bytes | None: ...

    def declare(self, ranges: Iterable[Range], reason: str) -> None: ...

    def append_rollups(
        self, family: str, drafts: Sequence[RollUpDraft], schemas: dict[bytes, bytes]
    ) -> bool: ...  # False where the disk took none

    def delete_settled(self) -> bool: ...

    def remove(self, part: Part) -> None: ...

    @property
    def bytes(self) -> int: ...


class Room:
    """``is_open``: whether a segment is being written. ``rolled_up_count``: samples put into roll-ups by this process."""

    def __init__(self, shelf: Shelf, parts: list[Part], reader: PartReader, is_open: Callable[[Part], bool]) -> None:
        self.rolled_up_count = 0
        self._shelf = shelf
        self._parts = parts
        self._reader = reader
        self._is_open = is_open
        self._last_values: dict[bytes, bytes] = {}

    def make(self, limit: int, reason: str) -> bool:
        """Take one segment away where the spool takes more than ``limit``; False where nothing is to do or to take."""
        states_bytes = sum(part.bytes for part in self._parts if part.family == STATES)
        if not is_over(self._shelf.bytes - states_bytes, states_bytes, limit):
            return False
        if self._shelf.delete_settled():
            return True
        newest = max((part.age_order for part in self._parts), default=None)  # it tells the next number after a crash
        sealed = [part for part in self._parts if not self._is_open(part) and part.age_order != newest]
        lent = set().union(*(part.borrowed for part in self._parts))
        numbers = self._shelf.numbers
        takes_rollups = True
        for part, step_ms, why in moves(sealed, lent, numbers.done(), numbers.held(), reason):
            if not step_ms:
                if self._give_up(part, why):
                    return True
            elif takes_rollups:
                took = self._roll_up(part, step_ms)
                if took:
                    return True
                takes_rollups = took is not None
        return False

    def _roll_up(self, part: Part, step_ms: int) -> bool | None:
        """Put a segment's samples together. False where that saves nothing, None where the disk takes nothing.

        The roll-ups are synced before the segment goes: a crash between leaves both, and the roll-ups count.
        """
        missing = self._shelf.numbers.open_in(part)
        frames = [] if part.is_withheld else self._reader.frames(part)
        records = [record_of(frame) for frame in frames if frame.kind != KIND_SCHEMA and frame.seq in missing]
        needed = {wanted for record in records if (wanted := schema_of(record)) is not None}
        schemas = {one: packed for one in needed if (packed := self._shelf.schema(one)) is not None}
        part.is_flat = not records or schemas.keys() != needed
        family = MINUTES if part.family == SAMPLES else HOURS
        for step in dict.fromkeys((step_ms, HOURS_MS)) if not part.is_flat else ():
            last_values = dict(self._last_values)
            drafts = rolled_up(records, schemas, step, last_values)
            if sum(draft.size for draft in drafts) > part.bytes * WORTH_RATIO:
                continue
            if not self._shelf.append_rollups(family, drafts, schemas):
                return None
            self._last_values = last_values
            for record in records:
                self._shelf.numbers.rollups.pop(record.seq, None)  # what it stood for is in the new one
                missing.remove(record.seq, record.seq)
            self.rolled_up_count += len(records) if part.family == SAMPLES else 0
            self._shelf.declare(missing, CORRUPT)
            self._shelf.remove(part)
            return True
        part.is_flat = True
        return False

    def _give_up(self, part: Part, reason: str) -> bool:
        """A segment is given up only where declaring its numbers takes less room than it frees: one that holds little
        but losses would be written again for ever.
        """
        numbers = self._shelf.numbers
        if len(numbers.to_say(part)) * LOSS_BYTES > part.bytes - part.bytes // 4:
            return False
        self._shelf.declare(Ranges(numbers.take_out(part)), reason)
        self._shelf.remove(part)
        return True
