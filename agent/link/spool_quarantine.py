"""Evidence that must not stand in the way: damaged bytes and records refused for ever, kept in a capped folder."""

from __future__ import annotations

import contextlib

from agent.link.files import Files

MAX_BYTES = 4 << 20


class Quarantine:
    """A folder of files, the oldest going first. Best effort: it never fails, for nothing depends on it."""

    def __init__(self, files: Files, folder: str, max_bytes: int = MAX_BYTES) -> None:
        self._files = files
        self._folder = folder
        self._max_bytes = max_bytes

    def put(self, wall_ms: int, name: str, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._files.make_folder(self._folder)
            present = self._files.list(self._folder)
            sizes = {there: self._files.size(f"{self._folder}/{there}") for there in present}
            free = self._max_bytes - sum(sizes.values())
            data = data[: self._max_bytes]
            for there in present:  # names begin with their time
                if free >= len(data):
                    break
                self._files.remove(f"{self._folder}/{there}")
                free += sizes[there]
            file = self._files.append_to(f"{self._folder}/{wall_ms:014d}-{name}")
            try:
                file.append(data)
            finally:
                file.close()
