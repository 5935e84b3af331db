"""A disk that forgets: a FUSE file system that keeps only what was synced, plus a lottery of the rest.

    python power_cut_disk.py MOUNT_POINT SEED

Files live in memory, twice: ``durable``, what a sync has promised, and ``current``, what a reader sees. Writes since the
last sync are remembered in sectors of 512 bytes. It is told what happens to it by lines on standard input, and says
each of them back when it is done:

    cut             the power goes: of every unsynced sector a coin decides whether it reached the platter, a file
                    nobody synced since it was made is gone, and what is left is all there is
    lie             answers to sync and keeps nothing by it (the test of the test)
    room BYTES      holds that many bytes more than now, then no space is left
    fail WHAT       every ``write`` or ``fsync`` is an input/output error from now on
    heal            room and health without end
"""

from __future__ import annotations

import errno
import random
import stat
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

import mfusepy

SECTOR = 512
UNLIMITED = 4 << 30


@dataclass
class File:
    mode: int
    current: bytearray = field(default_factory=bytearray)
    durable: bytes | None = None
    """None: never synced."""
    dirty: set[int] = field(default_factory=set)
    """Sectors written since the last sync."""

    def write(self, data: bytes, offset: int) -> None:
        end = offset + len(data)
        if end > len(self.current):
            self.current.extend(bytes(end - len(self.current)))
        self.current[offset:end] = data
        self.dirty.update(range(offset // SECTOR, (end + SECTOR - 1) // SECTOR))

    def resize(self, size: int) -> None:
        self.dirty.update(range(min(size, len(self.current)) // SECTOR, max(size, len(self.current)) // SECTOR + 1))
        del self.current[size:]
        self.current.extend(bytes(size - len(self.current)))

    def sync(self) -> None:
        self.durable = bytes(self.current)
        self.dirty.clear()

    def after_cut(self, chance: random.Random) -> bytes | None:
        if self.durable is None:
            return None
        # The file's length is data, too: it may have grown, shrunk or not, whatever became of the sectors.
        size = chance.choice((len(self.durable), len(self.current)))
        left = bytearray(self.durable[:size].ljust(size, b"\0"))
        for sector in self.dirty:
            if chance.random() < 0.5:
                start, end = sector * SECTOR, min((sector + 1) * SECTOR, size, len(self.current))
                left[start:end] = self.current[start:end] if end > start else b""
        return bytes(left)


class PowerCutDisk(mfusepy.Operations):  # type: ignore[misc]
    use_ns = True

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._files: dict[str, File] = {}
        self._folders = {"/"}
        self._is_liar = False
        self._size_limit = UNLIMITED
        self._broken: set[str] = set()

    def obey(self, order: str) -> None:
        """One line of standard input."""
        word, _, rest = order.partition(" ")
        with self._lock:
            if word == "cut":
                self._cut()
            elif word == "lie":
                self._is_liar = True
            elif word == "room":
                self._size_limit = self._size() + int(rest)
            elif word == "fail":
                self._broken.add(rest)
            elif word == "heal":
                self._size_limit = UNLIMITED
                self._broken.clear()
            else:
                raise ValueError(f"order {order!r}: expected cut, lie, room, fail or heal")

    def _cut(self) -> None:
        for path, file in list(self._files.items()):
            left = file.after_cut(self._chance)
            if left is None:
                del self._files[path]
            else:
                self._files[path] = File(file.mode, bytearray(left), left)

    def _size(self) -> int:
        return sum(len(file.current) for file in self._files.values())

    def _need_room(self, grows_by: int) -> None:
        if grows_by > 0 and self._size() + grows_by > self._size_limit:
            raise mfusepy.FuseOSError(errno.ENOSPC)

    def _need_health(self, operation: str) -> None:
        if operation in self._broken:
            raise mfusepy.FuseOSError(errno.EIO)

    def _file(self, path: str) -> File:
        try:
            return self._files[path]
        except KeyError:
            raise mfusepy.FuseOSError(errno.ENOENT) from None

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        if path in self._folders:
            return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
        file = self._file(path)
        return {"st_mode": stat.S_IFREG | file.mode, "st_nlink": 1, "st_size": len(file.current)}

    def readdir(self, path: str, fh: int) -> list[str]:
        prefix = path.rstrip("/") + "/"
        names = {p[len(prefix) :] for p in (*self._files, *self._folders) if p.startswith(prefix) and p != prefix}
        return [".", "..", *(name for name in names if name and "/" not in name)]

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        self._files[path] = File(mode & 0o777)
        return 0

    def open(self, path: str, flags: int) -> int:
        self._file(path)
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._file(path).current[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        with self._lock:
            self._need_health("write")
            self._need_room(offset + len(data) - len(self._file(path).current))
            self._file(path).write(data, offset)
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        with self._lock:
            self._need_room(length - len(self._file(path).current))
            self._file(path).resize(length)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        with self._lock:
            self._need_health("fsync")
            if not self._is_liar and path in self._files:
                self._files[path].sync()
        return 0

    def unlink(self, path: str) -> int:
        with self._lock:
            self._file(path)
            del self._files[path]
        return 0

    def rename(self, old: str, new: str) -> int:
        with self._lock:
            self._files[new] = self._file(old)
            del self._files[old]
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        self._folders.add(path)
        return 0

    def chmod(self, path: str, mode: int) -> int:
        if path in self._files:
            self._files[path].mode = mode & 0o777
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        return 0

    def utimens(self, path: str, times: Any = None) -> int:
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        free = max(0, self._size_limit - self._size()) // 4096
        return {
            "f_bsize": 4096,
            "f_frsize": 4096,
            "f_blocks": 1 << 20,
            "f_bavail": free,
            "f_bfree": free,
            "f_files": free,
        }


def main() -> None:
    disk = PowerCutDisk(int(sys.argv[2]))

    def listen() -> None:
        for line in sys.stdin:
            disk.obey(line.strip())
            print(line.strip(), flush=True)

    threading.Thread(target=listen, daemon=True).start()
    # The kernel may remember no names: after a cut it would believe in files that are gone.
    forgetful = {"entry_timeout": 0, "attr_timeout": 0, "negative_timeout": 0}
    mfusepy.FUSE(disk, sys.argv[1], foreground=True, nothreads=True, default_permissions=False, **forgetful)


if __name__ == "__main__":
    main()
