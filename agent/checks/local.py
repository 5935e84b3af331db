"""This machine as a ``Host``. ``root`` may be a recorded tree of /proc and /sys, so that a test can be any machine.

Reading /proc and /sys never waits for a disk or a network, so no deadline is watched there; the two calls that can
hang, statvfs of a network mount and programs, are bounded.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager

from agent.checks.base import FilesystemSpace, Ran
from agent.checks.deadlines import Deadlines
from agent.checks.globs import candidates
from agent.checks.kept_files import KeptFiles
from agent.checks.kernel import Kernel, SystemKernel
from agent.checks.programs import run_program
from agent.link.clock import Clock, SystemClock

STATVFS_TIMEOUT_SECONDS = 5.0
DEFAULT_DEADLINE_SECONDS = 10.0
NETWORK_TYPES = ("nfs", "cifs", "smb", "ceph", "gluster", "lustre", "afs", "9p", "fuse", "ocfs2", "gfs", "beegfs")
"""Beginnings of filesystem types whose server may be gone; statvfs on them waits in a thread, never in the caller."""


class LocalHost:
    def __init__(
        self,
        root: str = "/",
        name: str | None = None,
        *,
        kernel: Kernel | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._prefix = root.rstrip("/")
        self._name = name or os.uname().nodename.partition(".")[0]
        self.kernel = kernel or SystemKernel()
        self._clock = clock or SystemClock()
        self._deadlines = Deadlines(self._clock, DEFAULT_DEADLINE_SECONDS)
        self._network_mounts: tuple[str, frozenset[str]] = ("", frozenset())
        self._waiting: set[str] = set()
        self._files = KeptFiles()

    @property
    def name(self) -> str:
        return self._name

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        return self._deadlines.within(seconds)

    def read(self, path: str) -> str:
        return self._files.read(self._prefix + path)

    def read_tree(self, *patterns: str) -> dict[str, str]:
        found = []
        prefix, read = self._prefix, self._files.read
        for path in candidates(prefix, patterns):
            try:
                found.append((path, read(prefix + path)))
            except OSError:
                continue  # not there, a folder, or a file whose device refuses: left out by contract
        found.sort()
        return dict(found)

    def list(self, pattern: str) -> Sequence[str]:
        prefix = self._prefix
        return sorted(path for path in candidates(prefix, (pattern,)) if os.path.lexists(prefix + path))

    def link(self, path: str) -> str:
        return os.readlink(self._prefix + path)  # noqa: PTH115

    def filesystems(self, mount_points: Sequence[str]) -> dict[str, FilesystemSpace | None]:
        slow = self._mounts_over_network()
        spaces = {point: None if point in slow else self._space(point) for point in mount_points}
        asked = [point for point in mount_points if point in slow and point not in self._waiting]
        if asked:
            with self._deadlines.call():
                timeout_seconds = min(STATVFS_TIMEOUT_SECONDS, self._deadlines.left("asking for free space"))
            spaces.update(self._spaces_in_threads(asked, timeout_seconds))
        return spaces

    def run(self, argv: Sequence[str], timeout_seconds: float = 5.0) -> Ran:
        with self._deadlines.call():
            left = self._deadlines.left(f"starting {argv[0]}")
        return run_program(argv, min(timeout_seconds, left), self._clock)

    def now(self) -> float:
        return self._clock.wall_ms() / 1000

    def _space(self, mount_point: str) -> FilesystemSpace | None:
        try:
            return self.kernel.statvfs(self._prefix + mount_point)
        except OSError:
            return None

    def _spaces_in_threads(
        self, mount_points: Sequence[str], timeout_seconds: float
    ) -> dict[str, FilesystemSpace | None]:
        """One thread for each mount whose server may be gone; what is not told in time stays None.

        A thread that hangs stays, and its mount is not asked again until it is back: one thread per dead server.
        """
        import threading

        answers: dict[str, FilesystemSpace | None] = {}
        end = self._clock.monotonic() + timeout_seconds

        def ask(mount_point: str) -> None:
            answers[mount_point] = self._space(mount_point)
            self._waiting.discard(mount_point)

        threads = []
        for mount_point in mount_points:
            self._waiting.add(mount_point)
            thread = threading.Thread(target=ask, args=(mount_point,), name=f"statvfs {mount_point}", daemon=True)
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join(max(0.0, end - self._clock.monotonic()))
        return dict(answers)

    def _mounts_over_network(self) -> frozenset[str]:
        """Mount points of the types above; worked out anew only when the mount table has changed."""
        try:
            text = self.read("/proc/self/mounts")
        except OSError:
            return frozenset()
        known, slow = self._network_mounts
        if text != known:
            rows = (line.split(" ", 3) for line in text.splitlines())
            slow = frozenset(
                row[1].replace("\\040", " ").replace("\\011", "\t")
                for row in rows
                if len(row) == 4 and row[2].startswith(NETWORK_TYPES)
            )
            self._network_mounts = (text, slow)
        return slow
