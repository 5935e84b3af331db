"""``[[remote_write]]``: the stores that get what the log holds. One table each, read with the other settings.

Secrets stand in files of their own, named here: a settings file is shown around, a secret is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from collector.credentials import check_credentials
from collector.errors import SettingsError, nearest

MODES = ("all", "backlog")
ORDERS = ("any", "ordered")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_OURS = frozenset({"content-type", "content-encoding", "content-length", "host", "x-prometheus-remote-write-version"})


def _key(default: Any, expected: str, least: int | None = None, most: int | None = None) -> Any:
    return field(default=default, metadata={"expected": expected, "least": least, "most": most})


@dataclass(frozen=True, slots=True)
class Destination:
    """One store. ``name`` is its label in our metrics and the key of its position: renamed, it begins anew."""

    name: str = _key("", "1 to 64 of a-z, 0-9, - and _, such as prometheus")
    url: str = _key("", "the URL of the store's remote write, such as http://127.0.0.1:9090/api/v1/write")
    mode: str = _key("all", f"one of {', '.join(MODES)}")
    order: str = _key("any", f"one of {', '.join(ORDERS)}")
    horizon_seconds: int = _key(3600, "a whole number of seconds, 0 or more", 0)
    bearer_token_file: str = _key("", "the path of a file with a token")
    username: str = _key("", "a user name")
    password_file: str = _key("", "the path of a file with a password")
    ca_file: str = _key("", "the path of a PEM file with the authority of the store's certificate")
    timeout_seconds: int = _key(30, "a whole number of seconds, 1 to 300", 1, 300)
    batch_samples: int = _key(5000, "a whole number, 1 to 100000", 1, 100_000)
    batch_bytes: int = _key(2 << 20, "a whole number of bytes, 1024 to 33554432", 1 << 10, 32 << 20)
    headers: Mapping[str, str] = field(
        default_factory=dict, metadata={"expected": "a table of texts", "least": None, "most": None}
    )

    @property
    def is_ordered(self) -> bool:
        return self.order == "ordered"

    @property
    def address(self) -> tuple[str, str]:
        """(scheme and host, path and query)"""
        parts = urlsplit(self.url)
        path = parts.path or "/"
        return f"{parts.scheme}://{parts.netloc}", f"{path}?{parts.query}" if parts.query else path


def read_destinations(file: str, tables: Any) -> tuple[Destination, ...]:
    """The destinations of a settings document. Raises SettingsError, naming the table by its number or name."""
    if not isinstance(tables, list):
        raise SettingsError(f"{file}: remote_write = {tables!r}: expected tables, each written [[remote_write]]")
    found: dict[str, Destination] = {}
    for number, table in enumerate(tables, 1):
        one = _read(f"{file}: [[remote_write]] {number}", table)
        if one.name in found:
            raise SettingsError(f"{file}: [[remote_write]] {number}: name = {one.name!r}: taken by another one")
        found[one.name] = one
    return tuple(found.values())


def _read(where: str, table: Any) -> Destination:
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: expected a table")
    known = {one.name: one for one in fields(Destination)}
    defaults = Destination()
    for key, value in table.items():
        if key not in known:
            raise SettingsError(f"{where}: {key}: unknown key; {nearest(key, list(known))}")
        expected, least, most = (known[key].metadata[name] for name in ("expected", "least", "most"))
        if (
            type(value) is not type(getattr(defaults, key))
            or (least is not None and value < least)
            or (most is not None and value > most)
        ):
            raise SettingsError(f"{where}: {key} = {value!r}: expected {expected}")
    one = Destination(**table)
    _check(where, one)
    return one


def _check(where: str, one: Destination) -> None:
    if not _NAME.fullmatch(one.name):
        raise SettingsError(f"{where}: name = {one.name!r}: expected {_expected('name')}")
    url = urlsplit(one.url)
    if url.scheme not in ("http", "https") or not url.hostname or url.username is not None:
        hint = "; a user goes into username and password_file" if url.username is not None else ""
        raise SettingsError(f"{where}: url = {one.url!r}: expected {_expected('url')}{hint}")
    for key, valid in (("mode", MODES), ("order", ORDERS)):
        if getattr(one, key) not in valid:
            raise SettingsError(f"{where}: {key} = {getattr(one, key)!r}: {nearest(getattr(one, key), valid)}")
    check_credentials(where, one, _OURS)


def _expected(key: str) -> str:
    return next(str(one.metadata["expected"]) for one in fields(Destination) if one.name == key)
