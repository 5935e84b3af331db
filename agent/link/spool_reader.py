"""Reading segments back: whole records of one segment at a time, the last one read being kept."""

from __future__ import annotations

from agent.link.files import Files
from agent.link.segment import Frame, scan, segment_seed
from agent.link.spool_part import Part


class PartReader:
    """Reads the segments of one epoch's folder."""

    def __init__(self, files: Files, folder: str, epoch: bytes) -> None:
        self._files = files
        self._folder = folder
        self._epoch = epoch
        self._cached: tuple[str, int, list[Frame]] = ("", 0, [])

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
        """The same past the cache. Raises OSError."""
        data = self._files.read(f"{self._folder}/{part.name}", 0, part.bytes)
        return scan(data, segment_seed(self._epoch, part.name)).frames

    def forget(self) -> None:
        self._cached = ("", 0, [])
