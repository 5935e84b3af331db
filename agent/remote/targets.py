"""Which machines this agent asks over SSH: the ``[[targets]]`` tables of its configuration. Pure; loads no SSH library.

[[targets]]
name = "db1"                       # short name of the host; known to the collector as db1.<site>
address = "10.0.3.7"               # an address is better than a name: a DNS outage is then not the host's
user = "bongsu"
key_file = "/etc/bongsu/id_ed25519"
known_hosts = "/etc/bongsu/known_hosts"
processes = [{ name = "postgres", min_count = 2 }, { name = "queue", pattern = "celery .* worker" }]
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PROFILES = ("core", "standard", "full")
DEFAULT_INTERVAL_SECONDS = 30
DEFAULT_DEADLINE_SECONDS = 10.0

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ADDRESS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:_-]{0,252}[A-Za-z0-9])?|::[A-Fa-f0-9:]*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")


class TargetError(ValueError):
    """A targets table that cannot be used: what, where, what was expected, what to do."""


@dataclass(frozen=True, slots=True)
class WatchedProcess:
    """What ``agent.checks.process.process_check`` takes; the state is reported as ``process:<name>``.

    ``command`` is an exact process name (``name`` where neither is given), ``pattern`` a regular expression searched in
    the command line.
    """

    name: str
    command: str | None = None
    pattern: str | None = None
    min_count: int = 1


@dataclass(frozen=True, slots=True)
class Target:
    """One machine reached over SSH.

    ``deadline_seconds`` is the longest one question may take there; a check has its own deadline besides.
    Empty ``checks`` means all default ones. ``key_file`` is empty exactly when ``use_agent`` is set.
    """

    name: str
    address: str
    user: str
    known_hosts: str
    key_file: str = ""
    use_agent: bool = False
    port: int = 22
    interval_seconds: int = DEFAULT_INTERVAL_SECONDS
    profile: str = "standard"
    checks: tuple[str, ...] = ()
    processes: tuple[WatchedProcess, ...] = ()
    deadline_seconds: float = DEFAULT_DEADLINE_SECONDS


KEYS = tuple(Target.__slots__)


def read_targets(tables: Sequence[Mapping[str, Any]], source_name: str) -> tuple[Target, ...]:
    """Validated targets in file order; TargetError names ``source_name``, the table, the key and what was expected."""
    targets: list[Target] = []
    for number, table in enumerate(tables, 1):
        target = _Table(source_name, number, table).target()
        if any(other.name == target.name for other in targets):
            raise TargetError(
                f"{source_name}: [[targets]] number {number}: name = {target.name!r} is used twice; "
                "expected one table per host: rename one"
            )
        targets.append(target)
    return tuple(targets)


class _Table:
    def __init__(self, source_name: str, number: int, table: Mapping[str, Any]) -> None:
        if not isinstance(table, Mapping):
            raise TargetError(f"{source_name}: targets = {table!r}: expected tables, each begun with [[targets]]")
        self._table = table
        name = table.get("name")
        self._where = f"{source_name}: [[targets]] {name!r}" if name else f"{source_name}: [[targets]] number {number}"

    def target(self) -> Target:
        self._refuse_unknown_keys(self._table, KEYS, "")
        use_agent = self._value("use_agent", False, "true or false", lambda value: isinstance(value, bool))
        key_file = self._text("key_file", "", "the absolute path of a private key", _is_path)
        if use_agent == bool(key_file):
            raise TargetError(
                f"{self._where}: {'both key_file and use_agent are set' if key_file else 'neither key_file nor use_agent is set'}; "
                'expected exactly one way to log in: key_file = "/path" or use_agent = true'
            )
        interval = self._value(
            "interval_seconds", DEFAULT_INTERVAL_SECONDS, "a whole number of seconds, 5 to 300", _whole(5, 300)
        )
        deadline = self._value(
            "deadline_seconds",
            min(DEFAULT_DEADLINE_SECONDS, float(interval)),
            f"seconds, at least 1 and at most the interval ({interval})",
            lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= interval,
        )
        return Target(
            name=self._text("name", None, "lower-case letters, digits and -, at most 63", _NAME.fullmatch),
            address=self._text("address", None, "an IP address or host name without port", _ADDRESS.fullmatch),
            user=self._text("user", None, "the login name there", _USER.fullmatch),
            known_hosts=self._text("known_hosts", None, "the absolute path of a known_hosts file", _is_path),
            key_file=key_file,
            use_agent=use_agent,
            port=self._value("port", 22, "a port number, 1 to 65535", _whole(1, 65535)),
            interval_seconds=interval,
            profile=self._text("profile", "standard", "one of " + ", ".join(PROFILES), PROFILES.__contains__),
            checks=self._checks(),
            processes=self._processes(),
            deadline_seconds=float(deadline),
        )

    def _checks(self) -> tuple[str, ...]:
        names = self._value(
            "checks",
            [],
            'a list of check names such as ["cpu", "memory"]',
            lambda value: isinstance(value, list) and all(isinstance(name, str) and name for name in value),
        )
        return tuple(dict.fromkeys(names))

    def _processes(self) -> tuple[WatchedProcess, ...]:
        expected = 'a list of tables such as [{ name = "nginx" }]'
        rows = self._value("processes", [], expected, lambda value: isinstance(value, list))
        watched: list[WatchedProcess] = []
        for row in rows:
            process = self._process(row, expected)
            if any(other.name == process.name for other in watched):
                raise TargetError(f"{self._where}: processes: name = {process.name!r} is used twice; rename one")
            watched.append(process)
        return tuple(watched)

    def _process(self, row: object, expected: str) -> WatchedProcess:
        if not isinstance(row, Mapping) or not isinstance(row.get("name"), str) or not row["name"]:
            raise TargetError(f"{self._where}: processes = {row!r}: expected {expected}")
        self._refuse_unknown_keys(row, tuple(WatchedProcess.__slots__), "processes: ")
        where = f"{self._where}: processes {row['name']!r}"
        for key in ("command", "pattern"):
            if key in row and (not isinstance(row[key], str) or not row[key]):
                raise TargetError(f"{where}: {key} = {row[key]!r}: expected text")
        if "command" in row and "pattern" in row:
            raise TargetError(f"{where}: both command and pattern are set; expected one of them")
        try:
            re.compile(row.get("pattern", ""))
        except re.error as error:
            raise TargetError(
                f"{where}: pattern = {row['pattern']!r}: {error}; expected a regular expression"
            ) from error
        if not _whole(1, 1_000_000)(row.get("min_count", 1)):
            raise TargetError(f"{where}: min_count = {row['min_count']!r}: expected a whole number, at least 1")
        return WatchedProcess(**row)

    def _text(self, key: str, default: str | None, expected: str, is_good: Callable[[str], object]) -> str:
        value = self._value(key, default, expected, lambda value: isinstance(value, str) and bool(is_good(value)))
        assert isinstance(value, str)
        return value

    def _value(self, key: str, default: Any, expected: str, is_good: Callable[[Any], bool]) -> Any:
        if key not in self._table:
            if default is None:
                raise TargetError(f"{self._where}: {key} is missing; expected {expected}: add {key} = …")
            return default
        value = self._table[key]
        if not is_good(value):
            raise TargetError(f"{self._where}: {key} = {value!r}: expected {expected}")
        return value

    def _refuse_unknown_keys(self, table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.0)[0]
                raise TargetError(f"{self._where}: {where}unknown key {key!r}; nearest valid key: {near!r}")


def _is_path(value: str) -> bool:
    return value.startswith("/") and "\0" not in value


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
