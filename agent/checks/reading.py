"""The few ways a check meets a file: it may not be there, it may be cut short, a number may be none."""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from agent.checks.base import CheckFailed, Host, NoData

Kept = TypeVar("Kept")


class PerHost(Generic[Kept]):
    """What a check remembers of each host between rounds: facts too dear to read anew each time. Gone with the host."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Host, Kept] = WeakKeyDictionary()

    def get(self, host: Host) -> Kept | None:
        return self._kept.get(host)

    def keep(self, host: Host, value: Kept) -> Kept:
        self._kept[host] = value
        return value


def read_or_no_data(host: Host, path: str) -> str:
    """A file this kernel may not have; any other trouble is a failure that names the file."""
    try:
        return host.read(path)
    except (FileNotFoundError, NotADirectoryError):
        raise NoData(f"{path} is not there") from None
    except OSError as error:
        raise CheckFailed(f"{path} could not be read: {error.strerror or error}") from error


def unexpected(path: str, line: str, expected: str) -> CheckFailed:
    """The error for a file that does not look as its kernel document says."""
    shown = line if len(line) <= 80 else line[:77] + "..."
    return CheckFailed(f"{path}: {shown!r}: expected {expected}")


def number(text: str) -> float | None:
    """A decimal number with blanks around it, None where it is none (``N/A``, empty, a device that refuses)."""
    try:
        return float(text)
    except ValueError:
        return None


def whole(text: str, base: int = 10) -> int | None:
    """A whole number, None where it is none; base 0 takes ``0x1003`` as well as ``12``."""
    try:
        return int(text, base)
    except ValueError:
        return None


def words(text: str) -> tuple[str, ...]:
    """A list of names as the kernel's documents print it, for tables that read better as text than as a column."""
    return tuple(text.split())
