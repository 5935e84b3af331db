"""Segments that were found at the start and could not be synced: made good once the disk works again, not at a restart.

A failed sync is never tried again on the same file, for the system may have thrown the pages away and say yes the second
time. What the file gives back now is written to a new one, which takes its place; only then its records are handed out.
"""

from __future__ import annotations

import contextlib

from agent.link.files import Files
from agent.link.ranges import Ranges
from agent.link.segment import KIND_SCHEMA, scan, segment_seed
from agent.link.spool_part import Part

COPY = ".copy"
"""Behind the name while it is written; such a file is no segment."""


def make_good(files: Files, folder: str, epoch: bytes, part: Part) -> bool:
    """Whether the segment is durable now, with every record that was found in it."""
    path = f"{folder}/{part.name}"
    try:
        data = files.read(path)
        seen = scan(data, segment_seed(epoch, part.name))
        there = Ranges((frame.seq, frame.seq) for frame in seen.frames if frame.kind != KIND_SCHEMA)
        if not all(there.covers(first, last) for first, last in part.seqs):
            return False  # less than at the start: a restart tells what is gone
        _write(files, path + COPY, data[: seen.torn_at])
        files.rename(path + COPY, path)
        files.sync_folder(folder)
    except OSError:
        return False
    part.bytes = seen.torn_at
    part.is_withheld = False
    return True


def _write(files: Files, path: str, data: bytes) -> None:
    if files.exists(path):
        files.remove(path)
    file = files.append_to(path)
    try:
        file.append(data)
        file.sync()
    except OSError:
        with contextlib.suppress(OSError):
            files.remove(path)
        raise
    finally:
        file.close()
