"""A disk that forgets: a FUSE file system that keeps only what was synced, plus a lottery of the rest.

    python power_cut_disk.py MOUNT_POINT SEED

Files live in memory, twice: ``durable``, what a sync has promised, and ``current``, what a reader sees. Writes since the
last sync are remembered in sectors of 512 bytes. On SIGUSR1 the power goes: of every unsynced sector a coin decides
whether it reached the platter, a file nobody synced since it was made is gone, and what is left is all there is.
SIGUSR2 makes the disk a liar: it answers to sync and keeps nothing by it (the test of the test).
Writes the line ``cut N`` to standard output when a cut is done.
"""

from __future__ import annotations

import errno
import random
import signal
import stat
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

import mfusepy

SECTOR = 512


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
        self._cuts = 0
        self._is_liar = False

    def cut(self, *_: Any) -> None:
        with self._lock:
            for path, file in list(self._files.items()):
                left = file.after_cut(self._chance)
                if left is None:
                    del self._files[path]
                else:
                    self._files[path] = File(file.mode, bytearray(left), left)
            self._cuts += 1
            print(f"cut {self._cuts}", flush=True)

    def lie(self, *_: Any) -> None:
        self._is_liar = True

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
            self._file(path).write(data, offset)
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        with self._lock:
            self._file(path).resize(length)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        with self._lock:
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
        free = 1 << 20
        return {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": free, "f_bavail": free, "f_bfree": free, "f_files": free}


def main() -> None:
    disk = PowerCutDisk(int(sys.argv[2]))
    # libfuse's own loop holds the main thread, where Python would run its handlers only after a next call.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})

    def listen() -> None:
        while True:
            if signal.sigwait({signal.SIGUSR1, signal.SIGUSR2}) == signal.SIGUSR1:
                disk.cut()
            else:
                disk.lie()

    threading.Thread(target=listen, daemon=True).start()
    mfusepy.FUSE(disk, sys.argv[1], foreground=True, nothreads=True, default_permissions=False)


if __name__ == "__main__":
    main()
