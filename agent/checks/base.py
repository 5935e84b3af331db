"""What a check is, and what it may say.

A check answers one question about one machine. It reads through a ``Host`` and so never knows whether that is this
machine or one behind SSH. ``collect(host)`` yields ``Sample`` (a number now) and ``State`` (a judgement now); it
raises ``NoData`` when the machine has nothing to tell on the subject (no battery, no such kernel file), which is not
a fault, and ``CheckFailed`` when it should have told and could not, which becomes state ``unknown`` of that check.

Metric names, labels, units and meanings are node_exporter's, so that rules and boards written for it work unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

GAUGE, COUNTER, UNTYPED = 0, 1, 2
OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3

Labels = tuple[tuple[str, str], ...]


class NoData(Exception):
    """The machine has nothing to tell here."""


class CheckFailed(Exception):
    """The check could not find out."""


class DeadlineExceeded(CheckFailed):
    """The check took longer than its deadline."""


class Unreachable(CheckFailed):
    """The machine itself does not answer, so nothing was asked. ``why`` is told once, by the check that reaches for it."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


class Sample(NamedTuple):
    """One number. ``labels`` are (name, value) pairs in a fixed order; the same series gives equal tuples each time."""

    name: str
    type: int
    labels: Labels
    value: float


class State(NamedTuple):
    """One judgement: ``check`` is its name (``process:nginx``), ``state`` 0 ok, 1 warning, 2 critical, 3 unknown."""

    check: str
    state: int
    text: str


def gauge(name: str, value: float, **labels: str) -> Sample:
    return Sample(name, GAUGE, tuple(labels.items()), value)


def counter(name: str, value: float, **labels: str) -> Sample:
    return Sample(name, COUNTER, tuple(labels.items()), value)


def untyped(name: str, value: float, **labels: str) -> Sample:
    return Sample(name, UNTYPED, tuple(labels.items()), value)


class Ran(NamedTuple):
    """What a program answered. ``stdout`` and ``stderr`` are cut at the host's output limit."""

    exit_code: int
    stdout: str
    stderr: str


class FilesystemSpace(NamedTuple):
    """statvfs of one mount point; sizes in bytes, files as counts."""

    size_bytes: int
    free_bytes: int
    avail_bytes: int
    files: int
    files_free: int
    is_read_only: bool


class Host(Protocol):
    """The machine a check looks at: this one (``LocalHost``) or one behind SSH (``SshHost``).

    Every method obeys the deadline of the check that is running (``DeadlineExceeded``) and bounds what it reads.
    Paths are absolute paths of the machine looked at.
    """

    @property
    def name(self) -> str:
        """Short name, ``srv1``."""

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """Inside it every method must be done ``seconds`` from now, else DeadlineExceeded.

        The runner wraps each check in one and takes the results inside (``list(check.collect(host))``). Nested ones
        keep the nearer end, so that a whole collection can have an end too.
        """

    def read(self, path: str) -> str:
        """The text of one file (at most 1 MiB, undecodable bytes replaced).

        Raises FileNotFoundError, PermissionError or OSError as ``open`` does.
        """

    def read_tree(self, *patterns: str) -> dict[str, str]:
        """The text of every readable file that matches a glob (``/sys/class/hwmon/*/temp*_input``), by path, sorted.

        What cannot be read is left out; one call is one round trip over SSH.
        """

    def list(self, pattern: str) -> Sequence[str]:
        """Paths that match a glob, sorted, whatever they are (files, folders, links)."""

    def link(self, path: str) -> str:
        """Where a symbolic link points to. Raises OSError where it is none."""

    def filesystems(self, mount_points: Sequence[str]) -> dict[str, FilesystemSpace | None]:
        """statvfs by mount point; None where it failed (a dead NFS server must not stop the others)."""

    def run(self, argv: Sequence[str], timeout_seconds: float = 5.0) -> Ran:
        """Run a program without a shell. Raises CheckFailed where it cannot be started, DeadlineExceeded."""

    def now(self) -> float:
        """Wall clock of that machine, seconds since the epoch."""


Result = Sample | State


@dataclass(frozen=True, slots=True)
class Check:
    """A check as the table knows it.

    ``interval_seconds`` None = with each report; a number = at least that often, its state sent at once on change.
    """

    name: str
    collect: Callable[[Host], Iterable[Result]]
    interval_seconds: float | None = None
    timeout_seconds: float = 10.0
