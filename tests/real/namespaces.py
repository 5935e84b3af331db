"""Two network namespaces and a bad line between them (``collector.world.tun``), for real programs of a test.

Needs /dev/net/tun and user namespaces, and no root: a skip with its reason where there are none, a failure in
``make test-real``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from real import require
from running import environment

FETCH = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]} if sys.argv[2] else {})
sys.stdout.write(urllib.request.urlopen(request, timeout=20).read().decode())
"""
NEAR, FAR = "10.80.0.1", "10.80.0.2"


@dataclass
class Joined:
    """``near`` and ``far``: how a command line begins that is to run in one of the namespaces."""

    near: list[str]
    far: list[str]
    process: subprocess.Popen[str]

    def order(self, word: str) -> None:
        """``cut`` or ``mend``; returns when it is so."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == word

    def ask(self, inside: Sequence[str], url: str, token: str = "") -> str | None:
        """The body of a page as a program in a namespace gets it, None where nobody answers."""
        argv = [*inside, sys.executable, "-c", FETCH, url, token]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 or "URLError" in done.stderr or "Error:" in done.stderr, done.stderr
        return done.stdout if done.returncode == 0 else None


@contextmanager
def joined(*options: str) -> Iterator[Joined]:
    require("unshare")
    require("ip")
    enter = require("nsenter")
    argv = [
        require("unshare"),
        "--user",
        "--map-root-user",
        "--net",
        sys.executable,
        "-m",
        "collector.world.tun",
        *options,
    ]
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    root = str(Path(__file__).parents[2])
    environ = {**environment(), "PATH": path, "PYTHONPATH": root}
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    try:
        word, *pids = process.stdout.readline().split() or [""]
        if word != "ready":
            reason = f"no namespaces with TUN devices for this user: {process.stderr.read().strip()[-300:]}"
            if os.environ.get("BONGSU_REAL") == "1":
                pytest.fail(reason)
            pytest.skip(reason)
        sides = [[enter, "--preserve-credentials", "-U", "-n", "-t", pid] for pid in pids]
        yield Joined(sides[0], sides[1], process)
    finally:
        if process.poll() is None:
            process.stdin.close()
            process.wait(20)
        for pipe in (process.stdout, process.stderr):
            pipe.close()
