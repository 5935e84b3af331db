"""The keys of every table of the topology file: default, what is right, and what is expected in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from collector.fleet import topology_paths, topology_policy, topology_systems
from collector.fleet.registry import INTERVAL_SECONDS

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
HOST_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\.[a-z0-9][a-z0-9-]{0,62}")


class Key(NamedTuple):
    """A key of a table: ``default`` None = it must be there."""

    default: Any
    is_right: Callable[[Any], bool]
    expected: str


def _text(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most and value.isprintable()


def _between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in (int, float) and low <= value <= high


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def _is_host_id(value: Any) -> bool:
    return isinstance(value, str) and HOST_ID.fullmatch(value) is not None


NAME_WORDS = "1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit"
HOST_ID_WORDS = "a host id NAME.SITE, such as 'srv1.abuja'"
ID = Key(None, _is_name, NAME_WORDS)
REFERENCE = ID


def _is_url(value: Any) -> bool:
    if value == "":
        return True
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) <= 200 and value.isprintable() else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)


TEXT = Key("", _text(200), "text of up to 200 characters")
KEYS: Mapping[str, Mapping[str, Key]] = {
    "agencies": {"id": ID, "name_ko": TEXT, "name_en": TEXT},
    "hubs": {
        "id": ID,
        "name_ko": TEXT,
        "name_en": TEXT,
        "url": Key("", _is_url, "http://… or https://… with a host name, where its sites' agents reach it"),
    },
    "sites": {
        "id": ID,
        "agency": REFERENCE,
        "hub": Key("", lambda value: value == "" or _is_name(value), "the id of a hub, or '' for none"),
        "name_ko": TEXT,
        "name_en": TEXT,
        "latitude": Key(..., _between(-90, 90), "degrees north, -90 to 90"),
        "longitude": Key(..., _between(-180, 180), "degrees east, -180 to 180"),
        "timezone": Key(None, _text(64), "the name of a time zone, such as 'Asia/Seoul'"),
        "link_profile": Key("lan", _text(16), f"one of {', '.join(INTERVAL_SECONDS)}"),
        "tags": Key(*topology_policy.TAGS),
        **{key: Key(*parts) for key, parts in topology_paths.SITE_KEYS.items()},
    },
    "hosts": {
        "name": ID,
        "site": REFERENCE,
        "agency": Key("", lambda value: value == "" or _is_name(value), "the id of an agency, or '' for the site's"),
        "shared": Key(False, lambda value: isinstance(value, bool), "true or false"),
        "role": Key("", _text(64), "text of up to 64 characters"),
        "agent": Key("", lambda value: value == "" or _is_host_id(value), HOST_ID_WORDS),
        "tags": Key(*topology_policy.TAGS),
        "behind": Key(*topology_paths.HOSTS),
    },
    "links": {key: Key(*parts) for key, parts in topology_paths.LINK_KEYS.items()},
    "systems": {
        "id": ID,
        "agency": REFERENCE,
        "name_ko": TEXT,
        "name_en": TEXT,
        "grade": Key(None, lambda value: type(value) is int and 1 <= value <= 4, "a grade, 1 to 4"),
        **{key: Key(*parts) for key, parts in topology_systems.SYSTEM_KEYS.items()},
    },
    "interfaces": {
        "id": ID,
        "name_ko": TEXT,
        "name_en": TEXT,
        **{key: Key(*parts) for key, parts in topology_systems.INTERFACE_KEYS.items()},
    },
    "probes": {key: Key(*parts) for key, parts in topology_paths.PROBE_KEYS.items()},
    "policies": {"id": ID, **{key: Key(*parts) for key, parts in topology_policy.KEYS.items()}},
}
"""``...`` = may be left out, and then is nothing."""
REFERENCES = {"agency": "agencies", "hub": "hubs", "site": "sites"}
"""Keys that name a row of another table; of interfaces also its ends."""
INTERFACE_REFERENCES = {
    "source": "systems",
    "target": "systems",
    "source_owner": "agencies",
    "target_owner": "agencies",
}
SINGULAR = {"agencies": "agency", "hubs": "hub", "sites": "site", "systems": "system"}


def id_of(noun: str, row: Mapping[str, Any]) -> str:
    if noun == "links":
        return f"{row['site']}/{row['name']}"
    if noun == "probes":
        return f"{row['from']}>{row['target']}"
    return str(row["id"]) if "id" in row else f"{row['name']}.{row['site']}"
