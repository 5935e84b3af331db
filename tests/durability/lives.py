"""One collector after another on the same data (``crashing_collector.py``), from the test's side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from running import environment

PROGRAM = Path(__file__).parent / "crashing_collector.py"


class Lives:
    """``begin`` a life, wait for its ``end``; at most one at a time."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log
        self._pid = 0

    def begin(self, data: Path, point: str = "never", nth: int = 1, port: int = 0) -> str:
        """The URL it serves on."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{data} {point} {nth} {port}\n")
        self._process.stdin.flush()
        word, *rest = self._line().split()
        assert word == "born", f"the collector did not start: {self._log.read_text()[-4000:]}"
        self._pid = int(rest[0])
        return rest[1]

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)

    def end(self) -> int:
        """Exit code of the life, -9 where it was killed; waits for it."""
        word, status = self._line().split()
        assert word == "dead"
        self._pid = 0
        return int(status)

    def close(self) -> None:
        if self._pid:
            self.kill()
            self.end()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def lives(log: Path) -> Iterator[Lives]:
    """``log``: where what the collectors say goes."""
    with log.open("w") as words:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            env=environment(),
        )
    made = Lives(process, log)
    try:
        yield made
    finally:
        made.close()
        process.communicate(timeout=20)
