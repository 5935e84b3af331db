"""A real ``bongsu serve`` process on a free port, and what a test does to it from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

READY_SECONDS = 30.0


@dataclass
class Running:
    data: Path
    process: subprocess.Popen[str]
    url: str

    @property
    def address(self) -> str:
        """As the browser's tests call it."""
        return self.url

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """(status, body)"""
        return fetch(urllib.request.Request(self.url + path, headers=headers))

    def post(self, path: str, body: bytes, kind: str = "application/json") -> tuple[int, bytes]:
        request = urllib.request.Request(self.url + path, body, {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as why:
            return why.code, why.read()

    def json(self, path: str) -> Any:
        status, body = self.get(path)
        assert status == 200, (path, status, body)
        return msgspec.json.decode(body)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def fetch(request: urllib.request.Request) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as why:
        return why.code, why.read().decode()


def bongsu(*words: str, data: Path) -> str:
    """What a collector verb prints; the test fails with its errors where it does not work."""
    done = subprocess.run(
        [sys.executable, "-m", "collector.cli", *words, "--data", str(data)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment() -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if not k.startswith("BONGSU_")}, "PYTHONUNBUFFERED": "1"}


CHECKOUT = (sys.executable, "-m", "collector.cli")


def start(
    data: Path, *options: str, port: int = 0, program: Sequence[str] = CHECKOUT, cwd: Path | None = None
) -> Running:
    """A collector on an initialised data directory, ready."""
    log = (data.parent / f"{data.name}.log").open("a")
    process = subprocess.Popen(
        [*program, "serve", "--data", str(data), "--port", str(port), *options],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    log.close()
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"https?://\S+", line):
            break
    else:
        raise AssertionError(f"the collector ended: {(data.parent / f'{data.name}.log').read_text()}")
    running = Running(data, process, found.group())
    wait_until(lambda: running.get("/readyz")[0] == 200, "the collector to be ready")
    return running


def stop(running: Running) -> None:
    if running.process.poll() is None:
        running.process.terminate()
        running.process.wait(20)
    assert running.process.stdout is not None
    running.process.stdout.close()


@contextmanager
def collector(data: Path, *options: str) -> Iterator[Running]:
    """An initialised, running collector, ended with the block."""
    if not (data / "centre.key").exists():
        bongsu("init", data=data)
    running = start(data, *options)
    try:
        yield running
    finally:
        stop(running)


def wait_until(is_so: Any, what: str, seconds: float = READY_SECONDS) -> None:
    """Look often until something is so; fails, naming it, when the time is over."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)
