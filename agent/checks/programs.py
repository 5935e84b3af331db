"""Running a program for a check: no shell, a clean environment, bounded output, and nothing left behind at the deadline."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.checks.base import CheckFailed, DeadlineExceeded, Ran
from agent.link.clock import Clock

if TYPE_CHECKING:
    import subprocess

OUTPUT_LIMIT = 64 << 10
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "LANG": "C"}


def run_program(argv: Sequence[str], timeout_seconds: float, clock: Clock) -> Ran:
    """What ``argv`` answered, each stream cut at 64 KiB (what comes after is read and dropped, so the program never blocks).

    The program leads its own process group; the whole group is killed at the deadline and when it ends.
    """
    import subprocess  # 2 MiB that an agent without programs to run does not pay

    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            cwd="/",
            close_fds=True,
            start_new_session=True,
        )
    except OSError as error:
        raise CheckFailed(f"{argv[0]} could not be started: {error.strerror or error}; is it installed?") from error
    try:
        stdout, stderr = _read_until_end(process, clock.monotonic() + timeout_seconds, clock)
        if stdout is None or stderr is None:
            raise DeadlineExceeded(f"{argv[0]} did not end within {timeout_seconds:g} s and was stopped")
        code = process.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        raise DeadlineExceeded(f"{argv[0]} closed its output but did not end, and was stopped") from None
    finally:
        _kill_group(process)
    return Ran(code, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"))


def _read_until_end(
    process: subprocess.Popen[bytes], deadline: float, clock: Clock
) -> tuple[bytes | None, bytes | None]:
    """Both streams to their end, or (None, None) at the deadline."""
    import select

    assert process.stdout is not None
    assert process.stderr is not None
    kept: dict[int, list[bytes]] = {process.stdout.fileno(): [], process.stderr.fileno(): []}
    room = dict.fromkeys(kept, OUTPUT_LIMIT)
    poll = select.poll()
    for descriptor in kept:
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
    open_count = len(kept)
    while open_count:
        left = deadline - clock.monotonic()
        if left <= 0:
            return None, None
        for descriptor, _ in poll.poll(left * 1000):
            chunk = os.read(descriptor, 16_384)
            if not chunk:
                poll.unregister(descriptor)
                open_count -= 1
            elif room[descriptor] > 0:
                kept[descriptor].append(chunk[: room[descriptor]])
                room[descriptor] -= len(chunk)
    out, error = (b"".join(chunks) for chunks in kept.values())
    return out, error


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    import signal

    with suppress(ProcessLookupError, PermissionError):  # the usual end: nobody is left in the group
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
