"""The ``acked`` file: which numbers the centre has settled, as ranges.

It is written, whole or not at all, before a segment is deleted, so that a gap between segments is known to be a
delivery and not a loss. A stale one is harmless: what it does not know is sent once more and counted as a duplicate.
"""

from __future__ import annotations

import contextlib
from zlib import crc32

import msgspec

from agent.link.files import Files
from agent.link.model import encode
from agent.link.ranges import Ranges

NAME = "acked"


class _Acked(msgspec.Struct, array_like=True, frozen=True):
    epoch: bytes
    ranges: list[tuple[int, int]]


_decode = msgspec.msgpack.Decoder(_Acked).decode


def write_acked(files: Files, folder: str, epoch: bytes, ranges: Ranges) -> None:
    """Durable when it returns. Raises OSError; the old file then still stands."""
    waiting = f"{folder}/{NAME}.new"
    with contextlib.suppress(FileNotFoundError):
        files.remove(waiting)
    body = encode((epoch, ranges.as_lists()))
    file = files.append_to(waiting)
    try:
        file.append(crc32(body).to_bytes(4, "little") + body)
        file.sync()
    finally:
        file.close()
    files.rename(waiting, f"{folder}/{NAME}")
    files.sync_folder(folder)


def read_acked(files: Files, folder: str, epoch: bytes) -> Ranges | None:
    """The settled numbers; an empty set where nothing was written yet, None where the file is there and damaged."""
    try:
        data = files.read(f"{folder}/{NAME}")
    except FileNotFoundError:
        return Ranges()
    except OSError:
        return None
    if crc32(data[4:]).to_bytes(4, "little") != data[:4]:
        return None
    try:
        acked = _decode(data[4:])
        return Ranges(acked.ranges) if acked.epoch == epoch else None
    except (msgspec.MsgspecError, ValueError):
        return None
