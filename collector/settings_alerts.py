"""Settings of alerts: ``[alerts]``, ``[watchdog]``, and the tables ``[[alertmanagers]]`` and
``[[intakes]]``.

Secrets stand in files named here, or in the environment: ``BONGSU_INTAKE_<NAME>_KEY``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from collector.errors import SettingsError, nearest

FORMATS = ("alertmanager", "json")
SEVERITIES = ("critical", "warning", "info")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_POINTER = re.compile(r"#?(/.*)?", re.DOTALL)
LEAST_KEY_CHARS = 16
Table = TypeVar("Table")


def _key(default: Any, expected: str, least: int | None = None, most: int | None = None) -> Any:
    return field(default=default, metadata={"expected": expected, "least": least, "most": most})


def _words(expected: str) -> Any:
    return field(default_factory=dict, metadata={"expected": expected, "least": None, "most": None})


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """What is taken in by ``/api/v2/alerts``."""

    resolve_timeout_seconds: int = _key(300, "a whole number of seconds, at least 10", 10)


@dataclass(frozen=True, slots=True)
class WatchdogSettings:
    """Who outside hears that pages can still leave: an address asked by GET, or a page through a channel."""

    url: str = _key(
        "", "the URL of a receiver that alarms when it hears nothing, such as https://hc.example.org/ping/…"
    )
    channel: str = _key("", "the name of one of [[channels]]")
    address: str = _key("", "the address of the receiver on that channel")
    seconds: int = _key(60, "a whole number of seconds, at least 10", 10)


@dataclass(frozen=True, slots=True)
class AlertmanagerTarget:
    """Another Alertmanager that is told of this collector's alerts. ``name`` is its label in our metrics."""

    name: str = _key("", "1 to 64 of a-z, 0-9, - and _, such as noc")
    url: str = _key("", "the URL of an Alertmanager, such as http://alertmanager:9093")
    bearer_token_file: str = _key("", "the path of a file with a token")
    username: str = _key("", "a user name")
    password_file: str = _key("", "the path of a file with a password")
    ca_file: str = _key("", "the path of a PEM file with the authority of its certificate")
    timeout_seconds: int = _key(10, "a whole number of seconds, 1 to 60", 1, 60)


@dataclass(frozen=True, slots=True)
class Intake:
    """Who may post alerts in a format of their own, and how they are read: see ``collector.alerts.mapping``."""

    name: str = _key("", "1 to 64 of a-z, 0-9, - and _, such as grafana")
    format: str = _key("alertmanager", f"one of {', '.join(FORMATS)}")
    key_file: str = _key("", "the path of a file with the key of its address, at least 16 characters")
    lasts_hours: int = _key(24, "a whole number of hours, at least 1", 1)
    alerts: str = _key("", "a JSON pointer to the list of alerts, such as /alerts")
    labels_of: str = _key("", "a JSON pointer to an object of labels, such as /labels")
    labels: Mapping[str, str] = _words("a table of JSON pointers by label")
    fixed: Mapping[str, str] = _words("a table of texts by label")
    annotations_of: str = _key("", "a JSON pointer to an object of annotations")
    annotations: Mapping[str, str] = _words("a table of JSON pointers by annotation")
    severity: str = _key("", "a JSON pointer, such as /level")
    severities: Mapping[str, str] = _words(f"a table from their words to {', '.join(SEVERITIES)}")
    status: str = _key("", "a JSON pointer, such as /state")
    resolved: str = _key("resolved ok", "the values of status that mean that it is over, with spaces between")
    starts_at: str = _key("", "a JSON pointer to a time: RFC 3339, or seconds or milliseconds since 1970")
    ends_at: str = _key("", "a JSON pointer to a time: RFC 3339, or seconds or milliseconds since 1970")
    key: str = field(default="", repr=False, metadata={"expected": "", "least": None, "most": None})
    """Read from the file or the environment; never in the table."""


def check_watchdog(watchdog: WatchdogSettings, channels: Collection[str], name: str) -> None:
    """Raises SettingsError where a sign of life would never arrive."""
    url = urlsplit(watchdog.url)
    if watchdog.url and (url.scheme not in ("http", "https") or not url.hostname):
        raise SettingsError(f"{name}: [watchdog] url = {watchdog.url!r}: expected {_expected(WatchdogSettings, 'url')}")
    if watchdog.channel and watchdog.channel not in channels:
        raise SettingsError(
            f"{name}: [watchdog] channel = {watchdog.channel!r}: {nearest(watchdog.channel, sorted(channels))}"
        )
    if bool(watchdog.channel) != bool(watchdog.address):
        raise SettingsError(f"{name}: [watchdog] channel and address only work together")


def read_alertmanagers(file: str, tables: Any) -> tuple[AlertmanagerTarget, ...]:
    """Raises SettingsError, naming the table by its number."""
    found = _read_all(file, "alertmanagers", tables, AlertmanagerTarget, "name")
    for number, one in enumerate(found, 1):
        where = f"{file}: [[alertmanagers]] {number}"
        url = urlsplit(one.url)
        if url.scheme not in ("http", "https") or not url.hostname or url.username is not None:
            raise SettingsError(f"{where}: url = {one.url!r}: expected {_expected(AlertmanagerTarget, 'url')}")
        if bool(one.username) != bool(one.password_file) or (one.username and one.bearer_token_file):
            raise SettingsError(f"{where}: expected bearer_token_file, or username and password_file together, or none")
        for key in ("bearer_token_file", "password_file", "ca_file"):
            path = getattr(one, key)
            if path and not Path(path).is_file():
                raise SettingsError(f"{where}: {key} = {path!r}: no such file")
    return found


def read_intakes(file: str, tables: Any, environ: Mapping[str, str]) -> tuple[Intake, ...]:
    """Raises SettingsError, naming the table by its number."""
    found = []
    for number, one in enumerate(_read_all(file, "intakes", tables, Intake, "name", but=("key",)), 1):
        where = f"{file}: [[intakes]] {number}"
        if one.format not in FORMATS:
            raise SettingsError(f"{where}: format = {one.format!r}: {nearest(one.format, FORMATS)}")
        for key, pointer in _pointers(one):
            if not _POINTER.fullmatch(pointer):
                raise SettingsError(f"{where}: {key} = {pointer!r}: expected a JSON pointer, such as /labels/host")
        for word, severity in one.severities.items():
            if severity not in SEVERITIES:
                raise SettingsError(f"{where}: severities: {word} = {severity!r}: {nearest(severity, SEVERITIES)}")
        found.append(_with_key(where, one, environ))
    keys = [one.key for one in found]
    if len(set(keys)) < len(keys):
        raise SettingsError(f"{file}: [[intakes]]: two have the same key: expected one for each")
    return tuple(found)


def _read_all(
    file: str, section: str, tables: Any, kind: type[Table], key: str, but: tuple[str, ...] = ()
) -> tuple[Table, ...]:
    if not isinstance(tables, list):
        raise SettingsError(f"{file}: {section} = {tables!r}: expected tables, each written [[{section}]]")
    found: dict[str, Table] = {}
    for number, table in enumerate(tables, 1):
        where = f"{file}: [[{section}]] {number}"
        one = _read(where, table, kind, but)
        name = getattr(one, key)
        if not _NAME.fullmatch(name):
            raise SettingsError(f"{where}: {key} = {name!r}: expected {_expected(kind, key)}")
        if name in found:
            raise SettingsError(f"{where}: {key} = {name!r}: taken by another one")
        found[name] = one
    return tuple(found.values())


def _read(where: str, table: Any, kind: type[Table], but: tuple[str, ...]) -> Table:
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: expected a table")
    known = {one.name: one.metadata for one in fields(kind) if one.name not in but}  # type: ignore[arg-type]
    defaults = kind()
    for key, value in table.items():
        if key not in known:
            raise SettingsError(f"{where}: {key}: unknown key; {nearest(key, list(known))}")
        said, least, most = (known[key][name] for name in ("expected", "least", "most"))
        is_wrong = type(value) is not type(getattr(defaults, key)) or (
            isinstance(value, dict) and not all(isinstance(text, str) for text in value.values())
        )
        if is_wrong or (least is not None and value < least) or (most is not None and value > most):
            raise SettingsError(f"{where}: {key} = {value!r}: expected {said}")
    return kind(**table)


def _pointers(one: Intake) -> list[tuple[str, str]]:
    single = [(key, getattr(one, key)) for key in ("alerts", "labels_of", "annotations_of", "severity", "status")]
    single += [("starts_at", one.starts_at), ("ends_at", one.ends_at)]
    named = [(f"labels.{name}", text) for name, text in one.labels.items()]
    return single + named + [(f"annotations.{name}", text) for name, text in one.annotations.items()]


def _with_key(where: str, one: Intake, environ: Mapping[str, str]) -> Intake:
    variable = f"BONGSU_INTAKE_{one.name.upper().replace('-', '_')}_KEY"
    path = environ.get(f"{variable}_FILE", one.key_file)
    try:
        key = environ.get(variable) or (Path(path).read_text("utf-8").strip() if path else "")
    except (OSError, UnicodeDecodeError) as why:
        raise SettingsError(f"{where}: key_file = {path!r}: cannot be read ({why})") from why
    if len(key) < LEAST_KEY_CHARS or not key.isascii() or "/" in key:
        raise SettingsError(
            f"{where}: key_file = {path!r}: expected a file (or {variable}) with a key of {LEAST_KEY_CHARS} or more "
            "characters without /, such as: openssl rand -hex 20"
        )
    values = {each.name: getattr(one, each.name) for each in fields(Intake)} | {"key": key}
    return Intake(**values)


def _expected(kind: Any, key: str) -> str:
    return next(str(one.metadata["expected"]) for one in fields(kind) if one.name == key)
