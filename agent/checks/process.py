"""Does a process run that has to run? The names in /proc/<pid>/comm (at most 15 bytes), and command lines where asked::

    /proc/812/comm: nginx
    /proc/812/cmdline: nginx: master process /usr/sbin/nginx\\0-g\\0daemon on;\\0

A list of processes is not told node by node: each check counts one kind and judges the count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agent.checks.base import CRITICAL, OK, Check, CheckFailed, Host, State

COMM_BYTES = 15
INTERVAL_SECONDS = 5.0
COMMANDS, COMMAND_LINES = "/proc/[0-9]*/comm", "/proc/[0-9]*/cmdline"


def count_commands(comms: Iterable[str], wanted: str) -> int:
    """Processes whose name is exactly ``wanted`` (cut to what the kernel keeps of a name)."""
    cut = wanted.encode()[:COMM_BYTES].decode("utf-8", "ignore")
    return sum(comm.rstrip("\n") == cut for comm in comms)


def count_lines(lines: Iterable[str], is_match: Callable[[str], object]) -> int:
    """Processes whose command line, its parts joined by blanks, matches; kernel threads have none."""
    return sum(1 for line in lines if line and is_match(line.rstrip("\0").replace("\0", " ")))


def judge(name: str, what: str, found: int, min_count: int) -> State:
    if found >= min_count:
        return State(f"process:{name}", OK, f"{found} running")
    wanted = "1 is" if min_count == 1 else f"{min_count} are"
    return State(f"process:{name}", CRITICAL, f"{found} processes with {what} run, at least {wanted} wanted")


def process_check(name: str, command: str | None = None, *, pattern: str | None = None, min_count: int = 1) -> Check:
    """A check ``process:<name>``: critical while fewer than ``min_count`` processes run.

    ``command`` is an exact process name (``name`` where neither is given); ``pattern`` a regular expression searched in
    the command line, which needs a second file of each process and is dearer. Raises ValueError for both, a bad
    pattern or a count below 1.
    """
    if command is not None and pattern is not None:
        raise ValueError(f"process check {name}: command and pattern given: expected one of them")
    if min_count < 1:
        raise ValueError(f"process check {name}: min_count = {min_count}: expected at least 1")
    collect = (
        _by_command(name, command or name, min_count) if pattern is None else _by_pattern(name, pattern, min_count)
    )
    return Check(f"process:{name}", collect, interval_seconds=INTERVAL_SECONDS)


def _by_command(name: str, command: str, min_count: int) -> Callable[[Host], Iterator[State]]:
    def collect(host: Host) -> Iterator[State]:
        comms = _processes(host, COMMANDS)
        yield judge(name, f"the name {command}", count_commands(comms, command), min_count)

    return collect


def _by_pattern(name: str, pattern: str, min_count: int) -> Callable[[Host], Iterator[State]]:
    import re

    try:
        is_match = re.compile(pattern).search
    except re.error as error:
        raise ValueError(f"process check {name}: pattern = {pattern!r}: {error}") from error

    def collect(host: Host) -> Iterator[State]:
        lines = _processes(host, COMMAND_LINES)
        yield judge(name, f"a command line like {pattern}", count_lines(lines, is_match), min_count)

    return collect


def _processes(host: Host, files: str) -> Iterable[str]:
    found = host.read_tree(files)
    if not found:
        raise CheckFailed("no process can be seen in /proc (is it mounted with hidepid?)")
    return found.values()
