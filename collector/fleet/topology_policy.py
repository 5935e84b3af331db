"""``[[policies]]`` of the topology file: whom each is for, and what agents there are to do.

[[policies]]
id = "far-missions"
tags = ["far"]                         # whom: sites, roles and tags; each that is given must fit
link_profile = "thin"                  # what: a later policy wins over an earlier one, key by key
checks = { off = ["bonding", "zfs"] }
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agent.link.profile import PROFILES
from collector.errors import nearest
from collector.store.schema import frozen

Row = dict[str, Any]
Key = tuple[Any, Callable[[Any], bool], str]
"""As ``collector.fleet.topology.Key``: default (``...`` = may be left out), whether a value is right, what is expected."""

TAG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
CHECK = re.compile(r"[a-z0-9_]{1,64}")
MOST = 1_000
"""Entries of one list."""
SHORTEST_SECONDS, LONGEST_SECONDS = 5, 300
PROCESS_KEYS = {"name", "command", "pattern", "min_count"}
"""As [[processes]] of agent.toml."""


def is_tags(value: Any) -> bool:
    return _is_list(value, lambda each: isinstance(each, str) and TAG.fullmatch(each) is not None)


def _is_list(value: Any, is_right: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and len(value) <= MOST and all(map(is_right, value))


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _is_checks(value: Any) -> bool:
    def names(each: Any) -> bool:
        return _is_list(each, lambda name: isinstance(name, str) and CHECK.fullmatch(name) is not None)

    return isinstance(value, dict) and not value.keys() - {"off", "only"} and all(map(names, value.values()))


def _is_process(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() - PROCESS_KEYS or not _is_word(value.get("name")):
        return False
    count = value.get("min_count", 1)
    texts = [value[key] for key in ("command", "pattern") if key in value]
    return len(texts) <= 1 and all(map(_is_word, texts)) and type(count) is int and count >= 1


def _is_probe(value: Any) -> bool:
    """Any table of plain values: the probe on the agent knows its own keys."""

    def is_plain(each: Any) -> bool:
        return isinstance(each, bool | int | float) or (isinstance(each, str) and len(each) <= 2_000)

    if not isinstance(value, dict) or not _is_word(value.get("name")):
        return False
    return all(is_plain(each) or _is_list(each, is_plain) for each in value.values())


TAGS: Key = ([], is_tags, "a list of words of a-z, 0-9 and '-'")
KEYS: Mapping[str, Key] = {
    "sites": (..., is_tags, "a list of the ids of sites"),
    "roles": (..., lambda value: _is_list(value, _is_word), "a list of roles of hosts"),
    "tags": (..., is_tags, "a list of tags of sites or hosts"),
    "link_profile": (..., lambda value: value in PROFILES, f"one of {', '.join(PROFILES)}"),
    "interval_seconds": (
        ...,
        lambda value: type(value) is int and SHORTEST_SECONDS <= value <= LONGEST_SECONDS,
        f"{SHORTEST_SECONDS} to {LONGEST_SECONDS} seconds",
    ),
    "checks": (..., _is_checks, "{ off = [names] } or { only = [names] }, names of checks such as 'bonding'"),
    "processes": (
        ...,
        lambda value: _is_list(value, _is_process),
        "tables { name, command or pattern, min_count }, as [[processes]] of agent.toml",
    ),
    "probes": (..., lambda value: _is_list(value, _is_probe), "tables with a name, as [[probes]] of agent.toml"),
}
"""Besides ``id``."""


def kept(row: Row, position: int) -> Row:
    """A policy as it stands in the rows: its place in the file, lists as tuples."""
    return {"id": row["id"], "position": position, **{key: frozen(row[key]) for key in KEYS}}


def strangers(row: Row, sites: Iterable[str], roles: Iterable[str], tags: Iterable[str]) -> list[tuple[str, str]]:
    """(key, text) for every site, role or tag nobody has: a typing mistake would leave the policy without effect."""
    found = []
    for key, known in (("sites", sorted(sites)), ("roles", sorted(roles)), ("tags", sorted(tags))):
        one = {"sites": "site", "roles": "role of a host", "tags": "tag of a site or host"}[key]
        found += [
            (key, f"{key}: {word!r}: no such {one} in this file; {nearest(word, known)}")
            for word in row[key] or ()
            if word not in known
        ]
    return found
