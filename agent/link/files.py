"""The file port of the spool: the few operations durability stands on, so that a test can own the disk.

Paths are ``str`` relative to nothing: the caller passes whole paths. Every method raises OSError as the system does.
"""

from __future__ import annotations

import os
from typing import Protocol


class OpenFile(Protocol):
    def append(self, data: bytes) -> None:
        """Write all of ``data`` at the end; a short write raises OSError (ENOSPC) with the tail possibly on disk."""

    def sync(self) -> None:
        """fdatasync: what was appended survives a power cut once this returned."""

    def truncate(self, size: int) -> None: ...

    def close(self) -> None: ...


class Files(Protocol):
    def append_to(self, path: str) -> OpenFile:
        """Open for appending, made with mode 0600 where it is not there."""

    def read(self, path: str, offset: int = 0, size: int = -1) -> bytes: ...

    def size(self, path: str) -> int: ...

    def list(self, folder: str) -> list[str]:
        """Names in a folder, sorted."""

    def exists(self, path: str) -> bool: ...

    def make_folder(self, path: str) -> None: ...

    def rename(self, old: str, new: str) -> None: ...

    def remove(self, path: str) -> None: ...

    def sync_folder(self, path: str) -> None:
        """Make names (created, renamed, removed) in this folder durable."""

    def free_bytes(self, path: str) -> int: ...


class _SystemFile:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def truncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)

    def close(self) -> None:
        os.close(self._descriptor)


class SystemFiles:
    def append_to(self, path: str) -> OpenFile:
        return _SystemFile(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))

    def read(self, path: str, offset: int = 0, size: int = -1) -> bytes:
        with open(path, "rb") as file:  # noqa: PTH123 -- the port works on str paths
            file.seek(offset)
            return file.read(size)

    def size(self, path: str) -> int:
        return os.stat(path).st_size  # noqa: PTH116

    def list(self, folder: str) -> list[str]:
        return sorted(os.listdir(folder))  # noqa: PTH208

    def exists(self, path: str) -> bool:
        return os.path.exists(path)  # noqa: PTH110

    def make_folder(self, path: str) -> None:
        os.makedirs(path, mode=0o700, exist_ok=True)  # noqa: PTH103

    def rename(self, old: str, new: str) -> None:
        os.rename(old, new)  # noqa: PTH104

    def remove(self, path: str) -> None:
        os.unlink(path)  # noqa: PTH108

    def sync_folder(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self, path: str) -> int:
        space = os.statvfs(path)
        return space.f_bavail * space.f_frsize
