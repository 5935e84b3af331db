"""``agent.toml``: what an administrator may change. Every key is in ``configs/agent.toml`` at its default.

Where a value is left at its default, the site's link profile from the enrolment decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.link.profile import DEFAULT_PROFILE, PROFILES, LinkProfile

if TYPE_CHECKING:
    from agent.probes.guard import Allowed
    from agent.probes.model import Probe
    from agent.remote.targets import Target

DEFAULT_FILE = Path("/etc/bongsu/agent.toml")
DEFAULT_DATA = Path("/var/lib/bongsu-agent")
LOG_LEVELS = ("debug", "info", "warning", "error")
SERIES = ("core", "standard", "full")


class ConfigError(Exception):
    """A configuration that cannot be used: file, key, what was found, what was expected."""


class Process(NamedTuple):
    """What ``agent.checks.process.process_check`` takes."""

    name: str
    command: str | None = None
    pattern: str | None = None
    min_count: int = 1


class OneWay(NamedTuple):
    """Files instead of requests; ``directory`` "" = requests."""

    directory: str = ""
    every_seconds: int = 300
    keep_days: int = 14


class AgentConfig(NamedTuple):
    """``link_profile``, ``series`` "" and ``interval_seconds`` 0 = what the site's link profile says."""

    data_dir: Path = DEFAULT_DATA
    link_profile: str = ""
    interval_seconds: float = 0.0
    series: str = ""
    log_level: str = "info"
    spool_max_mib: int = 256
    checks_only: tuple[str, ...] = ()
    checks_disable: tuple[str, ...] = ()
    processes: tuple[Process, ...] = ()
    units: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    ups: tuple[str, ...] = ()
    """NUT servers, host:port."""
    probes: tuple[Probe, ...] = ()
    probes_allowed: tuple[Allowed, ...] = ()
    one_way: OneWay = OneWay()

    def profile(self, enrolled: str) -> LinkProfile:
        """The link profile in force, with this file's own wishes in it."""
        name = self.link_profile or enrolled
        profile = PROFILES.get(name, PROFILES[DEFAULT_PROFILE])
        if self.interval_seconds:
            profile = profile._replace(interval_seconds=self.interval_seconds)
        return profile._replace(series=self.series) if self.series else profile


KEYS: dict[str, tuple[str, ...]] = {
    "": (
        "data_dir",
        "link_profile",
        "interval_seconds",
        "series",
        "log_level",
        "spool",
        "one_way",
        "checks",
        "processes",
        "units",
        "targets",
        "ups",
        "probes",
        "probe_guard",
    ),
    "spool": ("max_mib",),
    "one_way": OneWay._fields,
    "checks": ("only", "disable"),
    "processes": Process._fields,
    "units": ("name",),
    "ups": ("server",),
}


def load_config(path: Path | None = None) -> AgentConfig:
    """The file's wishes over the defaults; without a path the usual place, which may be missing. Raises ConfigError."""
    chosen = path or DEFAULT_FILE
    if path is None and not chosen.exists():
        return AgentConfig()
    import tomllib

    try:
        return read_config(tomllib.loads(chosen.read_text("utf-8")), str(chosen))
    except OSError as why:
        raise ConfigError(f"{chosen}: {why.strerror}: expected a configuration file; see configs/agent.toml") from why
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as why:
        raise ConfigError(f"{chosen}: {why}: expected TOML; see configs/agent.toml") from why


def read_config(said: Mapping[str, Any], file: str) -> AgentConfig:
    """Raises ConfigError."""
    top, spool, checks = (
        _Table(file, "", said),
        _Table(file, "spool", said.get("spool", {})),
        _Table(file, "checks", said.get("checks", {})),
    )
    default = AgentConfig()
    return AgentConfig(
        Path(top.text("data_dir", str(default.data_dir))),
        top.one_of("link_profile", ("", *PROFILES)),
        float(top.number("interval_seconds", 0, (0, *range(5, 301)), "0, or 5 to 300 seconds")),
        top.one_of("series", ("", *SERIES)),
        top.one_of("log_level", LOG_LEVELS, default.log_level),
        int(spool.number("max_mib", default.spool_max_mib, range(1, 1 << 20), "1 to 1048575 MiB")),
        checks.names("only"),
        checks.names("disable"),
        _processes(said.get("processes", []), file),
        tuple(_Table(file, "units", table).text("name") for table in _tables(said.get("units", []), "units", file)),
        _targets(said.get("targets", []), file),
        tuple(_Table(file, "ups", table).text("server") for table in _tables(said.get("ups", []), "ups", file)),
        *_probes(said, file),
        _one_way(_Table(file, "one_way", said.get("one_way", {}))),
    )


def _one_way(table: _Table) -> OneWay:
    default = OneWay()
    every = table.number("every_seconds", default.every_seconds, range(5, 86_401), "5 to 86400 seconds")
    days = table.number("keep_days", default.keep_days, range(1, 366), "1 to 365 days")
    return OneWay(table.text("directory", ""), int(every), int(days))


def read_policy(said: Mapping[str, Any]) -> AgentConfig:
    """Keys of the centre's policy, held to the same rules as the file's. Raises ConfigError."""
    return read_config(said, "policy of the centre")


def _tables(said: object, name: str, file: str) -> Sequence[Any]:
    if not isinstance(said, list):
        raise ConfigError(f"{file}: {name} = {said!r}: expected tables, each begun with [[{name}]]")
    return said


def _processes(said: object, file: str) -> tuple[Process, ...]:
    processes = []
    for table in (_Table(file, "processes", one) for one in _tables(said, "processes", file)):
        command, pattern = table.text("command", ""), table.text("pattern", "")
        if command and pattern:
            raise ConfigError(f"{table.where('pattern')}: command and pattern are both set: expected one of them")
        if pattern:
            import re

            try:
                re.compile(pattern)
            except re.error as why:
                raise ConfigError(
                    f"{table.where('pattern')} = {pattern!r}: expected a regular expression: {why}"
                ) from why
        count = table.number("min_count", 1, range(1, 1_000_001), "a whole number, at least 1")
        processes.append(Process(table.text("name"), command or None, pattern or None, int(count)))
    return tuple(processes)


def _targets(said: object, file: str) -> tuple[Target, ...]:
    if not said:
        return ()
    from agent.remote.targets import TargetError, read_targets

    try:
        return read_targets(_tables(said, "targets", file), file)
    except TargetError as why:
        raise ConfigError(str(why)) from why


def _probes(said: Mapping[str, Any], file: str) -> tuple[tuple[Probe, ...], tuple[Allowed, ...]]:
    if not said.get("probes") and "probe_guard" not in said:
        return (), ()
    from agent.probes.config import ProbeError, read_guard, read_probes

    try:
        allowed = read_guard(said.get("probe_guard", {}), file)
        return read_probes(_tables(said.get("probes", []), "probes", file), file), allowed
    except ProbeError as why:
        raise ConfigError(str(why)) from why


class _Table:
    """One table of the file, its keys known to be ours."""

    def __init__(self, file: str, name: str, said: object) -> None:
        self._file = file
        self._name = name
        if not isinstance(said, Mapping):
            raise ConfigError(f"{file}: {name} = {said!r}: expected a table")
        self._said = said
        for key in said:
            if key not in KEYS[name]:
                import difflib

                near = difflib.get_close_matches(str(key), KEYS[name], n=1, cutoff=0.0)[0]
                raise ConfigError(f"{self.where(str(key))}: unknown key; nearest valid key: {near!r}")

    def where(self, key: str) -> str:
        return f"{self._file}: [{self._name}] {key}" if self._name else f"{self._file}: {key}"

    def text(self, key: str, default: str | None = None) -> str:
        value = self._said.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise ConfigError(f"{self.where(key)} = {value!r}: expected a text")
        return value

    def one_of(self, key: str, known: Sequence[str], default: str = "") -> str:
        value = self._said.get(key, default)
        if value not in known:
            expected = ", ".join(repr(name) for name in known)
            raise ConfigError(f"{self.where(key)} = {value!r}: expected one of {expected}")
        return str(value)

    def number(self, key: str, default: float, known: Sequence[int], expected: str) -> float:
        value = self._said.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value not in known:
            raise ConfigError(f"{self.where(key)} = {value!r}: expected {expected}")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        value = self._said.get(key, [])
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ConfigError(f'{self.where(key)} = {value!r}: expected a list of check names such as ["cpu"]')
        if not value:
            return ()
        from agent.checks.table import TABLE

        for name in value:
            if name not in TABLE:
                import difflib

                near = difflib.get_close_matches(name, TABLE, n=1, cutoff=0.0)[0]
                raise ConfigError(f"{self.where(key)}: no check is called {name!r}; nearest: {near!r}")
        return tuple(dict.fromkeys(value))
