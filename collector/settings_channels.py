"""``[[channels]]``: the ways pages go out, one table each, and ``[outbound]``: where this collector may send at all.

What a kind of channel needs is known to its sender (``collector.pages.senders``); here a table is only taken in, with what
the environment says of it. Secrets stand in files named here (``password_file``) or in the environment, never in the table:
a settings file is shown around, a secret is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.errors import SettingsError

ENVIRONMENT = "BONGSU_CHANNEL_"
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,31}")


def _key(default: Any, expected: str, least: int | None = None) -> Any:
    return field(default=default, metadata={"expected": expected, "least": least})


@dataclass(frozen=True, slots=True)
class Outbound:
    """What pages may reach. Lists are words with spaces between: names, ``*.names``, addresses and networks."""

    allow: str = _key("", "hosts and networks with spaces between, such as *.go.kr 10.1.0.0/16")
    deny: str = _key("", "hosts and networks with spaces between")
    private: str = _key("", "hosts and networks with spaces between")
    proxy: str = _key("", "the URL of a proxy, such as http://proxy.example.org:3128")
    no_proxy: str = _key("", "hosts and networks with spaces between")
    ca_file: str = _key("", "the path of a PEM file with an authority")
    timeout_seconds: int = _key(10, "a whole number of seconds, at least 1", 1)
    answer_bytes: int = _key(65536, "a whole number of bytes, at least 1024", 1024)


@dataclass(frozen=True, slots=True)
class Channel:
    """One table as written. ``environment`` has what ``BONGSU_CHANNEL_<NAME>_…`` says, by the rest of its name."""

    name: str
    kind: str
    table: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_channels(file: str, tables: Any, environ: Mapping[str, str]) -> tuple[Channel, ...]:
    """The channels of a settings document. Raises SettingsError, naming the table by its number."""
    if not isinstance(tables, list):
        raise SettingsError(f"{file}: channels = {tables!r}: expected tables, each written [[channels]]")
    found: dict[str, Channel] = {}
    for number, table in enumerate(tables, 1):
        where = f"{file}: [[channels]] {number}"
        if not isinstance(table, dict):
            raise SettingsError(f"{where}: expected a table")
        name, kind = table.get("name", ""), table.get("kind", "")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise SettingsError(f"{where}: name = {name!r}: expected 1 to 32 of a-z, 0-9 and _, such as sms")
        if not isinstance(kind, str) or not kind:
            raise SettingsError(f"{where}: kind = {kind!r}: expected what the channel is, such as smtp")
        if name in found:
            raise SettingsError(f"{where}: name = {name!r}: taken by another one")
        rest = {key: value for key, value in table.items() if key not in ("name", "kind")}
        found[name] = Channel(name, kind, rest, _of_environment(name, environ))
    return tuple(found.values())


def _of_environment(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    start = f"{ENVIRONMENT}{name.upper()}_"
    return {key.removeprefix(start).lower(): value for key, value in environ.items() if key.startswith(start)}
