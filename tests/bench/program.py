"""Programs under measurement: started with a port of their own, waited for, and always stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PLACES = "/usr/sbin:/usr/local/bin:/usr/local/sbin"
START_SECONDS = 60.0


class NotStarted(Exception):
    """A program under measurement did not come up; the message ends with what it said."""


def find(program: str) -> str | None:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":" + PLACES)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    argv: Sequence[str],
    log: Path,
    is_up: Callable[[], bool],
    environ: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program from the moment ``is_up`` says so until the block ends. Raises NotStarted."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            argv, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env={**os.environ, **(environ or {})}
        )
    try:
        wait_until(is_up, lambda: process.poll() is not None, f"{argv[0]}", log)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], grace_seconds: float = 20.0) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(is_up: Callable[[], bool], is_over: Callable[[], bool], what: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not is_up():
        if is_over() or time.monotonic() > end:
            raise NotStarted(f"{what} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
