"""The shell at the other end: one-line scripts in, answers out, within a limit and a deadline.

One ``sh`` is kept per connection. A login shell for each question would cost the other machine more than the answer
(bash runs ~/.bashrc for every SSH command: 100 ms of processor where that starts pyenv or nvm), and two more round trips.
"""

from __future__ import annotations

import re
import select
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from agent.checks.base import CheckFailed

_CHUNK = 32 << 10
_HELLO = (
    "LC_ALL=C; export LC_ALL; M=$(cat /proc/sys/kernel/random/uuid); "
    'if timeout 1 true 2>/dev/null; then T="timeout -s KILL"; else T=; fi; printf "bongsu %s\\0" "$M"\n'
)
_MARK = re.compile(rb"bongsu ([0-9a-f-]{36})\0")
_MARK_BYTES = 64
_GREETING_LIMIT = 16 << 10

Left = Callable[[str], float]
"""Seconds left, or DeadlineExceeded saying what was being done."""


Guard = Callable[[Left, str], AbstractContextManager[None]]
"""Holds what may block without a limit of its own to the deadline; raises Broken where the connection is gone."""


class Answer(NamedTuple):
    exit_code: int
    stdout: bytes
    stderr: bytes


class Flooded(CheckFailed):
    """The command sent more than its limit."""


class Broken(CheckFailed):
    """The channel ended before the answer did."""


class Shell:
    """One ``sh`` at the other end that answers one-line scripts, one at a time.

    The shell draws a mark from its kernel and keeps it in a variable that is not exported: it is in no argument list,
    no environment and no file, so what a script prints can hold it only if the script prints ``$M`` itself. A script
    ran when its output is followed by ``\\n MARK exit-code \\0``. Anything a login script printed first is skipped.
    Scripts may use ``$T`` before a number of seconds and a command: ``timeout`` where there is one.
    """

    def __init__(self, channel: Any, guard: Guard, left: Left) -> None:
        self.channel = channel
        self._guard = guard
        self.mark = b""
        doing = "starting a shell"
        self._send(_HELLO, left, doing)
        said = bytearray()
        while (found := _MARK.search(said)) is None:
            if _read_some(channel, said, bytearray(), _GREETING_LIMIT, left, doing):
                raise Broken(f"no shell there: it ended after saying {bytes(said[:80])!r}, expected a POSIX sh")
        self.mark = found[1]

    def ask(self, script: str, limit: int, left: Left, doing: str, *, with_stderr: bool = False) -> Answer:
        """Output of one line of sh, each stream at most ``limit`` bytes; stderr is dropped where not asked for."""
        quiet, also = ("", 'printf "\\n%s %s\\0" "$M" $s >&2; ') if with_stderr else ("2>/dev/null", "")
        self._send(f'({script}) </dev/null {quiet}; s=$?; {also}printf "\\n%s %s\\0" "$M" $s\n', left, doing)
        end = re.compile(rb"\n" + self.mark + rb" (\d+)\0\Z")
        out, err = bytearray(), bytearray()
        # Both streams are read as they come: a program that fills one would else block for ever on the shared window.
        while True:
            is_over = _read_some(self.channel, out, err, limit, left, doing)
            found = end.search(out, max(0, len(out) - _MARK_BYTES))
            found_err = end.search(err, max(0, len(err) - _MARK_BYTES))
            if found is not None and (found_err is not None or not with_stderr):
                said = bytes(err[: found_err.start()]) if found_err is not None else b""
                return Answer(int(found[1]), bytes(out[: found.start()]), said)
            if is_over:
                raise Broken(f"the shell there ended while {doing}")

    def _send(self, line: str, left: Left, doing: str) -> None:
        with self._guard(left, doing):
            self.channel.sendall(line.encode())


def _read_some(channel: Any, out: bytearray, err: bytearray, limit: int, left: Left, doing: str) -> bool:
    """Wait for something and take it; True when nothing more will come."""
    if not (channel.recv_ready() or channel.recv_stderr_ready() or channel.eof_received or channel.closed):
        poll = select.poll()
        poll.register(channel.fileno(), select.POLLIN)
        poll.poll(left(doing) * 1000)
    # Whether it ended is looked at before draining: what arrives in between is then seen by the next round.
    is_over = bool(channel.eof_received or channel.closed)
    for is_ready, receive, into in (
        (channel.recv_ready, channel.recv, out),
        (channel.recv_stderr_ready, channel.recv_stderr, err),
    ):
        while is_ready():
            into += receive(_CHUNK)
            if len(into) > limit + _MARK_BYTES:
                raise Flooded(f"it sent more than {limit} bytes while {doing} and was cut off; expected at most that")
            left(doing)
    return is_over
