"""Writing into the folder of one epoch: which segment is open, when it is sealed, what happens when the disk fails.

A failed sync is never tried again on the same file: the system may have thrown the pages away and say yes the second
time. The segment is sealed as it was at its last good sync and the batch, still in memory, goes to a new one.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Sequence

from agent.link.files import Files
from agent.link.segment import frame_of
from agent.link.spool_part import FAMILIES, SAMPLES, STATES, Part, PartWriter
from agent.link.spool_record import Spooled, size_of

SEGMENT_BYTES = 1 << 20
SEGMENT_SECONDS = 15 * 60.0
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class SpoolWriter:
    """The open segments of an epoch. ``parts`` is the spool's own list; a new segment is added to it."""

    def __init__(
        self,
        files: Files,
        folder: str,
        agent_id: bytes,
        epoch: bytes,
        parts: list[Part],
        segment_bytes: int = SEGMENT_BYTES,
        make_room: Callable[[], bool] = lambda: False,
    ) -> None:
        self._files = files
        self._folder = folder
        self._agent_id = agent_id
        self._epoch = epoch
        self._parts = parts
        self._segment_bytes = segment_bytes
        self._make_room = make_room
        self._open: dict[str, PartWriter] = {}

    def is_open(self, part: Part) -> bool:
        writer = self._open.get(part.family)
        return writer is not None and writer.part is part

    def write(
        self, family: str, records: Sequence[Spooled], schemas: dict[bytes, bytes], wall_ms: int, monotonic: float
    ) -> None:
        """Make records of ascending numbers durable. Raises OSError, and then none of them counts as written."""
        for is_last_try in (False, False, True):
            try:
                self._writer(family, records, wall_ms, monotonic).append(map(frame_of, records), schemas)
            except OSError as why:
                self._give_up(family)
                has_room = why.errno in NO_ROOM and self._make_room()
                if is_last_try or (why.errno in NO_ROOM and not has_room):
                    raise
            else:
                return

    def seal(self) -> None:
        for family in FAMILIES:
            self._seal(family)

    def _writer(self, family: str, records: Sequence[Spooled], wall_ms: int, monotonic: float) -> PartWriter:
        writer = self._open.get(family)
        if writer is not None:
            is_full = writer.part.bytes + sum(map(size_of, records)) > self._segment_bytes and writer.part.seqs
            is_old = family in (SAMPLES, STATES) and monotonic - writer.opened_at >= SEGMENT_SECONDS
            if is_full or is_old:
                self._seal(family)
                writer = None
        return writer or self.begin(family, records[0].seq, wall_ms, monotonic)

    def begin(self, family: str, first_seq: int, wall_ms: int, monotonic: float) -> PartWriter:
        """Open a new segment of a family. Raises OSError."""
        self._seal(family)
        writer = PartWriter(
            self._files, self._folder, family, first_seq, self._agent_id, self._epoch, wall_ms, monotonic
        )
        self._open[family] = writer
        self._parts.append(writer.part)
        return writer

    def _give_up(self, family: str) -> None:
        """Seal a segment whose write or sync failed, cut back to its last good sync as far as the disk lets us."""
        writer = self._open.get(family)
        if writer is None:
            return
        with contextlib.suppress(OSError):
            writer.cut_back()
        self._seal(family)
        if not writer.part.seqs:
            self._parts.remove(writer.part)
            with contextlib.suppress(OSError):
                self._files.remove(f"{self._folder}/{writer.part.name}")

    def _seal(self, family: str) -> None:
        writer = self._open.pop(family, None)
        if writer is not None:
            writer.close()
