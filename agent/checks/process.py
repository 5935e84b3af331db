"""Does a process run that has to run? The names in /proc/<pid>/comm (at most 15 bytes), and command lines where asked::

    /proc/812/comm: nginx
    /proc/812/cmdline: nginx: master process /usr/sbin/nginx\\0-g\\0daemon on;\\0

There is no list of all processes: each check counts one kind and judges the count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent.checks.base import CRITICAL, OK, Check, CheckFailed, Host, State
from agent.checks.reading import PerHost

COMM_BYTES = 15
INTERVAL_SECONDS = 2.0
FULL_ROUNDS = 12
MOST_KNOWN = 20
COMMANDS, COMMAND_LINES = "/proc/[0-9]*/comm", "/proc/[0-9]*/cmdline"


def is_named(comm: str, wanted: str) -> bool:
    """Whether a process' name is exactly ``wanted`` (cut to what the kernel keeps of a name)."""
    return comm.rstrip("\n") == wanted.encode()[:COMM_BYTES].decode("utf-8", "ignore")


def is_started_as(cmdline: str, search: Callable[[str], object]) -> bool:
    """Whether a command line, its parts joined by blanks, matches; kernel threads have none."""
    return bool(cmdline and search(cmdline.rstrip("\0").replace("\0", " ")))


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
    if pattern is None:
        wanted = command or name
        watch = _Watch(name, f"the name {wanted}", COMMANDS, lambda text: is_named(text, wanted), min_count)
    else:
        search = _compiled(name, pattern)
        what = f"a command line like {pattern}"
        watch = _Watch(name, what, COMMAND_LINES, lambda text: is_started_as(text, search), min_count)
    return Check(f"process:{name}", watch.collect, interval_seconds=INTERVAL_SECONDS)


def _compiled(name: str, pattern: str) -> Callable[[str], object]:
    import re

    try:
        return re.compile(pattern).search
    except re.error as error:
        raise ValueError(f"process check {name}: pattern = {pattern!r}: {error}") from error


class _Watch:
    """Looks at the processes it knows; through all of them only when one of those is gone, and once a minute.

    Reading a hundred names every two seconds would cost more than all other checks of a report together.
    """

    def __init__(self, name: str, what: str, files: str, is_match: Callable[[str], bool], min_count: int) -> None:
        self._name = name
        self._what = what
        self._files = files
        self._is_match = is_match
        self._min_count = min_count
        self._known: PerHost[tuple[int, int, tuple[str, ...]]] = PerHost()

    def collect(self, host: Host) -> Iterator[State]:
        yield judge(self._name, self._what, self._count(host), self._min_count)

    def _count(self, host: Host) -> int:
        """The count of the last look at all processes, as long as all it remembered of those still run."""
        rounds, count, paths = self._known.get(host) or (0, 0, ())
        if rounds > 0 and paths:
            running = sum(self._is_match(text) for text in host.read_tree(*paths).values())
            if running == len(paths):
                self._known.keep(host, (rounds - 1, count, paths))
                return count
        files = host.read_tree(self._files)
        if not files:
            raise CheckFailed("no process can be seen in /proc (is it mounted with hidepid?)")
        found = [path for path, text in files.items() if self._is_match(text)]
        known = tuple(found[: max(MOST_KNOWN, self._min_count)]) if len(found) >= self._min_count else ()
        self._known.keep(host, (FULL_ROUNDS, len(found), known))
        return len(found)
