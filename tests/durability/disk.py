"""The disk that forgets, mounted for a test (``power_cut_disk.py``), and what a test orders to happen to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from real import require
from running import environment, wait_until

PROGRAM = Path(__file__).parent / "power_cut_disk.py"


@dataclass
class Disk:
    point: Path
    process: subprocess.Popen[str]

    def order(self, line: str) -> None:
        """Returns when it has happened."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == line, "the disk did not obey"

    def sync_all(self) -> None:
        """What stands on it now is durable."""
        for file in self.point.rglob("*"):
            if file.is_file():
                descriptor = os.open(file, os.O_RDONLY)
                os.fsync(descriptor)
                os.close(descriptor)


@contextmanager
def mounted(point: Path, seed: int = 7) -> Iterator[Disk]:
    require("fusermount3")
    point.mkdir()
    command = [sys.executable, str(PROGRAM), str(point), str(seed)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())
    try:
        wait_until(lambda: process.poll() is not None or os.path.ismount(point), "the disk to be mounted")
        assert process.poll() is None, "the disk could not be mounted: is /dev/fuse usable?"
        yield Disk(point, process)
    finally:
        subprocess.run(["fusermount3", "-u", "-z", str(point)], check=False)
        process.terminate()
        process.communicate(timeout=10)
