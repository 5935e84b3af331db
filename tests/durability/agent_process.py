"""The small agent (``small_agent.py``) as a process, from the test's side: life after life."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

from running import environment
from sender import Sender

PROGRAM = Path(__file__).parent / "small_agent.py"
TESTS = Path(__file__).parents[1]


class Agent:
    """One identity and folder; ``promised``: value -> time, of every append that returned."""

    def __init__(self, folder: Path, url: str, sender: Sender, centre_key: bytes) -> None:
        self.promised: dict[float, int] = {}
        self.lives = 0
        self.seconds = 0.0
        keys = (sender.agent_id.hex(), sender.key.seed.hex(), centre_key.hex())
        self._command = [sys.executable, str(PROGRAM), str(folder), url, sender.host, *keys]
        folder.mkdir()

    def begin(self) -> None:
        self.lives += 1
        self._process = subprocess.Popen(
            [*self._command, str(self.lives)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**environment(), "PYTHONPATH": f"{TESTS}:{TESTS.parent}"},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        began = 0.0
        for line in self._process.stdout:
            began = began or monotonic()
            if line.endswith("\n"):
                value, at_ms = line.split()
                self.promised[float(value)] = int(at_ms)
        self.seconds += monotonic() - began if began else 0.0

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        assert self._end() == -signal.SIGKILL

    def drain(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("enough\n")
        self._process.stdin.flush()
        assert self._end() == 0

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._end()

    def _end(self) -> int:
        code = self._process.wait(120)
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        return code


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
