"""Reading segments back: whole records of one segment at a time, the last one read being kept."""

from __future__ import annotations

from collections.abc import Iterable

from agent.link.files import Files
from agent.link.ranges import Ranges
from agent.link.segment import KIND_SCHEMA, Frame, record_of, scan, segment_seed
from agent.link.spool_part import FAMILIES, Part
from agent.link.spool_record import Spooled, size_of


class PartReader:
    """Reads the segments of one epoch's folder."""

    def __init__(self, files: Files, folder: str, epoch: bytes) -> None:
        self._files = files
        self._folder = folder
        self._epoch = epoch
        self._cached: tuple[str, int, list[Frame]] = ("", 0, [])

    def newest(self, parts: Iterable[Part], blocked: Ranges, count: int, max_bytes: int) -> list[Spooled]:
        """Records that are not blocked, family by family the newest first; in the order of their numbers."""
        newest_first = sorted(parts, key=lambda part: part.age_order, reverse=True)
        by_family = [part for family in FAMILIES for part in newest_first if part.family == family]
        return sorted(self._some(by_family, blocked, count, max_bytes, step=-1), key=lambda record: record.seq)

    def oldest(self, parts: Iterable[Part], blocked: Ranges, count: int, max_bytes: int) -> list[Spooled]:
        """The same from the other end, whatever the family."""
        oldest_first = sorted(parts, key=lambda part: part.age_order)
        return sorted(self._some(oldest_first, blocked, count, max_bytes, step=1), key=lambda record: record.seq)

    def _some(self, parts: Iterable[Part], blocked: Ranges, count: int, max_bytes: int, step: int) -> list[Spooled]:
        taken: list[Spooled] = []
        size = 0
        for part in parts:
            wanted = Ranges(gap for span in part.seqs for gap in blocked.gaps(*span))
            if part.is_withheld or not wanted:
                continue
            for frame in self.frames(part)[::step]:
                if frame.kind == KIND_SCHEMA or frame.seq not in wanted:
                    continue
                record = record_of(frame)
                size += size_of(record)
                if taken and (len(taken) >= count or size > max_bytes):
                    return taken
                taken.append(record)
        return taken

    def frames(self, part: Part) -> list[Frame]:
        """The whole records of a segment. What cannot be read now is simply not there."""
        name, size, frames = self._cached
        if (name, size) != (part.name, part.bytes):
            try:
                frames = self.read(part)
            except OSError:
                return []
            self._cached = (part.name, part.bytes, frames)
        return frames

    def read(self, part: Part) -> list[Frame]:
        """The same past the cache. Raises OSError.

        A block that a file system put in a second place brings whole, true records twice: each counts once.
        """
        data = self._files.read(f"{self._folder}/{part.name}", 0, part.bytes)
        once: dict[tuple[int, int], Frame] = {}
        for at, frame in enumerate(scan(data, segment_seed(self._epoch, part.name)).frames):
            once.setdefault((frame.seq, at if frame.kind == KIND_SCHEMA else -1), frame)
        return list(once.values())

    def forget(self) -> None:
        self._cached = ("", 0, [])
