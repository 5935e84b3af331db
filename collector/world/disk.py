"""A disk that keeps its promises and not one more, behind the file port (``agent.link.files.Files``).

Every operation goes to a log in memory. ``power_cut`` then yields one legal outcome: what was synced is there;
every other write is dropped, kept or torn at 512 bytes; creations, renames and removals stand only as far as the
folder was synced, or by chance. ``kill`` is a process that dies while the machine goes on: everything stays.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Sequence

SECTOR = 512


class _Inode:
    """A file: what programs see, and what is certain to survive."""

    def __init__(self) -> None:
        self.seen = bytearray()
        self.durable = b""
        self.is_dirty = False

    def copied(self) -> _Inode:
        other = _Inode()
        other.seen, other.durable = bytearray(self.seen), bytes(self.seen)
        return other


class DiskModel:
    """Files by path. ``before`` may be set to a function (operation, path) that raises OSError or anything else."""

    def __init__(self, seed: int = 0, capacity: int = 1 << 40, syncs: bool = True) -> None:
        self.random = random.Random(seed)
        self.capacity = capacity
        self.syncs = syncs
        """False = a disk (or a programmer) whose sync does nothing: the test of the test."""
        self.before: Callable[[str, str], None] = lambda _operation, _path: None
        self._files: dict[str, _Inode] = {}
        self._durable_names: dict[str, _Inode] = {}
        self._folders: set[str] = {"", "/data"}
        self._durable_folders: set[str] = {"", "/data"}

    # ------------------------------------------------------------ the port

    def append_to(self, path: str) -> _Open:
        self.before("open", path)
        if path not in self._files:
            self._need_folder(path)
            self._files[path] = _Inode()
        return _Open(self, self._files[path], path)

    def read(self, path: str, offset: int = 0, size: int = -1) -> bytes:
        self.before("read", path)
        data = bytes(self._inode(path).seen)[offset:]
        return data if size < 0 else data[:size]

    def size(self, path: str) -> int:
        return len(self._inode(path).seen)

    def list(self, folder: str) -> list[str]:
        if folder not in self._folders:
            raise FileNotFoundError(errno.ENOENT, "no such folder", folder)
        start = folder + "/"
        paths = [p for p in (*self._files, *self._folders) if p.startswith(start)]
        return sorted({p[len(start) :].split("/")[0] for p in paths})

    def exists(self, path: str) -> bool:
        return path in self._files or path in self._folders

    def make_folder(self, path: str) -> None:
        self.before("make_folder", path)
        while path:
            self._folders.add(path)
            path = path.rpartition("/")[0]

    def rename(self, old: str, new: str) -> None:
        self.before("rename", old)
        if old in self._folders:
            self._folders.discard(old)
            self._folders.add(new)
            for path in [p for p in self._files if p.startswith(old + "/")]:
                self._files[new + path[len(old) :]] = self._files.pop(path)
            return
        self._files[new] = self._inode(old)
        del self._files[old]

    def remove(self, path: str) -> None:
        self.before("remove", path)
        self._inode(path)
        del self._files[path]

    def sync_folder(self, path: str) -> None:
        self.before("sync_folder", path)
        if not self.syncs:
            return
        if path not in self._folders:
            raise FileNotFoundError(errno.ENOENT, "no such folder", path)
        inside = [p for p in {*self._files, *self._durable_names} if p.rpartition("/")[0] == path]
        for name in inside:
            self._settle_name(name)
        here = {f for f in {*self._folders, *self._durable_folders} if f.rpartition("/")[0] == path}
        for folder in here:
            self._settle_folder(folder)

    def free_bytes(self, path: str) -> int:  # noqa: ARG002 -- one disk, whatever the path
        return self.capacity - self.used

    # ------------------------------------------------------------ what happens to it

    @property
    def used(self) -> int:
        return sum(len(inode.seen) for inode in self._files.values())

    def kill(self) -> None:
        """The process dies; the machine does not."""

    def power_cut(self) -> None:
        """One legal outcome, drawn by the seed."""
        for folder in sorted({*self._folders, *self._durable_folders}):
            if (folder in self._folders) != (folder in self._durable_folders) and self.random.random() < 0.5:
                self._settle_folder(folder)
        for name in sorted({*self._files, *self._durable_names}):
            if self._files.get(name) is not self._durable_names.get(name) and self.random.random() < 0.5:
                self._settle_name(name)
        self._folders = set(self._durable_folders)
        self._files = {p: i for p, i in self._durable_names.items() if p.rpartition("/")[0] in self._folders}
        for inode in {id(i): i for i in self._files.values()}.values():
            self._lose_unsynced(inode)
        self._durable_names = dict(self._files)

    def copied(self, seed: int) -> DiskModel:
        """Another disk with what stands on this one, all of it durable."""
        other = DiskModel(seed, self.capacity, self.syncs)
        other.become(self)
        return other

    def become(self, other: DiskModel) -> None:
        """Hold what the other holds, and nothing else."""
        self._files = {path: inode.copied() for path, inode in other._files.items()}
        self._durable_names = dict(self._files)
        self._folders = set(other._folders)
        self._durable_folders = set(other._folders)

    def flip_bit(self, path: str, at: int) -> None:
        """Silent damage of what is stored, counted in bits."""
        inode = self._inode(path)
        inode.seen[at // 8] ^= 1 << (at % 8)
        inode.durable = bytes(inode.seen)

    def paths(self, ending: str = "") -> Sequence[str]:
        return sorted(p for p in self._files if p.endswith(ending))

    # ------------------------------------------------------------ inside

    def _inode(self, path: str) -> _Inode:
        try:
            return self._files[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, "no such file", path) from None

    def _need_folder(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            raise FileNotFoundError(errno.ENOENT, "no such folder", folder)

    def _settle_name(self, name: str) -> None:
        if name in self._files:
            self._durable_names[name] = self._files[name]
        else:
            self._durable_names.pop(name, None)

    def _settle_folder(self, folder: str) -> None:
        """A folder's own name; a renamed folder takes along what was durable in it under its old name."""
        if folder in self._folders:
            self._durable_folders.add(folder)
            moved = {id(i) for i in self._durable_names.values()}
            for path in [p for p in self._files if p.startswith(folder + "/") and id(self._files[p]) in moved]:
                for old in [p for p, i in self._durable_names.items() if i is self._files[path]]:
                    del self._durable_names[old]
                self._durable_names[path] = self._files[path]
        else:
            self._durable_folders.discard(folder)

    def _lose_unsynced(self, inode: _Inode) -> None:
        if not inode.is_dirty:
            return
        kept, seen = inode.durable, bytes(inode.seen)
        fate = self.random.randrange(3)
        if fate == 1:
            kept = seen
        elif fate == 2 and len(seen) > len(kept):
            sectors = bytearray(seen[: self.random.randrange(len(kept), len(seen) + 1)])
            for at in range(len(kept) // SECTOR * SECTOR, len(sectors), SECTOR):
                if self.random.random() < 0.3:  # this sector was not written: zeros behind what was durable
                    start, end = max(at, len(kept)), min(at + SECTOR, len(sectors))
                    sectors[start:end] = bytes(max(0, end - start))
            kept = bytes(sectors)
        inode.seen, inode.durable, inode.is_dirty = bytearray(kept), bytes(kept), False


class _Open:
    def __init__(self, disk: DiskModel, inode: _Inode, path: str) -> None:
        self._disk = disk
        self._inode = inode
        self._path = path

    def append(self, data: bytes) -> None:
        self._disk.before("append", self._path)
        room = self._disk.capacity - self._disk.used
        self._inode.seen += data[: max(0, room)]
        self._inode.is_dirty = True
        if len(data) > room:
            raise OSError(errno.ENOSPC, "no space left on device", self._path)

    def sync(self) -> None:
        self._disk.before("sync", self._path)
        if self._disk.syncs:
            self._inode.durable = bytes(self._inode.seen)
            self._inode.is_dirty = False

    def truncate(self, size: int) -> None:
        self._disk.before("truncate", self._path)
        del self._inode.seen[size:]
        self._inode.is_dirty = True

    def close(self) -> None:
        pass
