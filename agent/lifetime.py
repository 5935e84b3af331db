"""Alone on a data folder, and ended in order by a signal."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
from pathlib import Path

LOCK_FILE = "lock"
TAKES_NOTHING = (errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO)


class AlreadyRunning(Exception):
    """Another process runs on this data folder; two would give the same numbers to different records."""


def take_lock(data_dir: Path) -> int:
    """A lock the system takes away with the process, however it ends. Raises AlreadyRunning, OSError.

    On a disk that takes nothing the agent reports from memory, under numbers nobody else can have: there the lock may be
    missing (-1).
    """
    path = data_dir / LOCK_FILE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as why:
        if why.errno not in TAKES_NOTHING:
            raise
        if not path.exists():
            return -1
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunning(
            f"{data_dir}: another bongsu-agent runs on this folder: expected to be alone; stop it, or use another --data"
        ) from None
    return descriptor


class SignalPipe:
    """Waiting that a signal ends: the interpreter writes to the pipe itself, so nothing runs inside a signal handler."""

    def __init__(self) -> None:
        self._reading, writing = os.pipe()
        os.set_blocking(writing, False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def wait(self, seconds: float) -> bool:
        """True when a signal came."""
        return bool(select.select([self._reading], [], [], max(0.0, seconds))[0])
