"""One segment file of the spool: what is remembered of it, and how it is written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from agent.link.files import Files
from agent.link.ranges import Ranges
from agent.link.segment import (
    HEADER_BYTES,
    KIND_SCHEMA,
    Frame,
    SegmentHeader,
    pack_frame,
    pack_header,
    segment_seed,
)

SAMPLES, STATES = "samples", "states"
MINUTES, HOURS = "minutes", "hours"
FAMILIES = (STATES, SAMPLES, MINUTES, HOURS)
"""Families of segments, so that samples go by unlinking whole files while states and losses stay. ``minutes`` and
``hours`` hold what samples were rolled up to."""


class Part:
    """A segment as the spool remembers it: ``seqs`` are the synced numbers in it, ``bytes`` its size on the disk.

    ``borrowed``: schemas of its samples that are damaged here and stand in another segment, which must stay as long.
    ``is_withheld``: found at start but could not be synced, so nothing of it is handed out until it is.
    ``oldest_ms``: of this machine's clock; ``newest_ms``: corrected. ``is_flat``: rolling it up was tried and saves nothing.
    """

    __slots__ = (
        "attempt",
        "borrowed",
        "bytes",
        "family",
        "first_seq",
        "is_flat",
        "is_withheld",
        "name",
        "newest_ms",
        "oldest_ms",
        "schemas",
        "seqs",
    )

    def __init__(self, name: str) -> None:
        self.first_seq, self.family, self.attempt = name_order(name)
        self.name = name
        self.is_flat = False
        self.seqs = Ranges()
        self.bytes = 0
        self.is_withheld = False
        self.oldest_ms: int | None = None
        self.newest_ms = 0
        self.schemas: set[bytes] = set()
        self.borrowed: set[bytes] = set()

    @property
    def age_order(self) -> tuple[int, str, int]:
        return self.first_seq, self.family, self.attempt

    def note(self, frame: Frame) -> None:
        self.seqs.add(frame.seq)
        if self.oldest_ms is None or frame.taken_at_ms < self.oldest_ms:
            self.oldest_ms = frame.taken_at_ms
        self.newest_ms = max(self.newest_ms, frame.taken_at_ms + frame.offset_ms)


def name_order(name: str) -> tuple[int, str, int]:
    """First number, family and attempt of a segment's name; attempts count, so the tenth follows the ninth."""
    first, family, attempt = name.removesuffix(".seg").split("-")
    return int(first), family, int(attempt)


def part_name(first_seq: int, family: str, attempt: int) -> str:
    return f"{first_seq:016d}-{family}-{attempt}.seg"


def is_part_name(name: str) -> bool:
    pieces = name.removesuffix(".seg").split("-")
    return (
        name.endswith(".seg")
        and len(pieces) == 3
        and pieces[0].isdigit()
        and pieces[1] in FAMILIES
        and pieces[2].isdigit()
    )


class PartWriter:
    """The open segment of a family. What ``append`` wrote counts only after ``sync`` returned."""

    def __init__(
        self,
        files: Files,
        folder: str,
        family: str,
        first_seq: int,
        agent_id: bytes,
        epoch: bytes,
        created_ms: int,
        opened_at: float,
    ) -> None:
        """Make the file, with its header and its name durable before any record. Raises OSError."""
        attempt = 0
        while files.exists(f"{folder}/{part_name(first_seq, family, attempt)}"):
            attempt += 1
        self.part = Part(part_name(first_seq, family, attempt))
        self.opened_at = opened_at
        self._seed = segment_seed(epoch, self.part.name)
        path = f"{folder}/{self.part.name}"
        self._file = files.append_to(path)
        try:
            self._file.append(pack_header(SegmentHeader(agent_id, epoch, first_seq, created_ms, self._seed)))
            self._file.sync()
            files.sync_folder(folder)
        except OSError:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                files.remove(path)
            raise
        self.part.bytes = HEADER_BYTES

    def append(self, frames: Iterable[Frame], schemas: dict[bytes, bytes]) -> None:
        """Write records and sync them, the schemas they need first. Raises OSError; then nothing counts."""
        written = list(frames)
        new = [schema for schema in schemas if schema not in self.part.schemas]
        heads = [Frame(0, KIND_SCHEMA, 0, 0, schemas[schema]) for schema in new]
        data = b"".join(pack_frame(frame, self._seed) for frame in (*heads, *written))
        self._file.append(data)
        self._file.sync()
        self.part.bytes += len(data)
        self.part.schemas.update(new)
        for frame in written:
            self.part.note(frame)

    def cut_back(self) -> None:
        """Take away what a failed append left behind. Raises OSError."""
        self._file.truncate(self.part.bytes)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # every byte that counts is synced
            self._file.close()
