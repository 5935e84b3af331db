"""A topology as the file that makes it: what ``read_topology`` reads back as the same.

Pure. Keys that stand at their default are left out, so that a reader sees what was chosen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from collector.fleet.topology import NOUNS, Row, Topology
from collector.fleet.topology_keys import KEYS

FILE_KEYS: Mapping[str, Mapping[str, str]] = {
    "sites": {"collector": "is_collector", "custodian": "is_custodian"},
    "hosts": {"shared": "is_shared", "agent": "via"},
    "probes": {"from": "host", "host": "of_host", "anchor": "is_anchor"},
    "systems": {"hosts": ""},  # they stand in groups
}
"""Key of the file -> of the row, where they differ."""


def topology_text(topology: Topology) -> str:
    return "\n".join(_table(noun, row) for noun in NOUNS for row in _in_order(noun, topology))


def _in_order(noun: str, topology: Topology) -> list[Row]:
    rows = topology.of(noun)
    if noun == "policies":  # later ones win
        return sorted(rows.values(), key=lambda row: row["position"])
    return [rows[name] for name in sorted(rows)]


def _table(noun: str, row: Row) -> str:
    others = FILE_KEYS.get(noun, {})
    lines = [f"[[{noun}]]"]
    for key, (default, _, _) in KEYS[noun].items():
        value = row.get(others.get(key, key))
        if value is not None and (default in (None, ...) or _plain(value) != default):
            lines.append(f"{key} = {toml(value)}")
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def toml(value: Any) -> str:
    """A value as TOML has it. A JSON string is a TOML string, save for the one control character JSON lets through."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, int | float):
        return repr(value)
    raise TypeError(f"{type(value).__name__}: expected what a topology file holds")


def _key(key: str) -> str:
    is_bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if is_bare else toml(key)
