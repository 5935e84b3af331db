"""What people read in the copy of the registry a custodian keeps: how much there is, lists, and the topology file that makes
the places and systems again.

Pure: rows by table as the centre signed them, in; ``state`` is in no row, for a copy knows what there is, not how it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from collector.fleet.paths import ALL
from collector.fleet.registry_copy import Tables
from collector.fleet.topology import NOUNS, Topology
from collector.fleet.topology_apply import HOST_KEYS, file_row
from collector.store.schema import frozen, instant

Row = Mapping[str, Any]
Shown = dict[str, Any]


def topology_of(tables: Tables) -> Topology:
    """Every host too that joined by itself or came from a list: where the centre is made anew, nobody has joined yet."""
    found = {
        noun: {row["id"]: file_row(noun, dict(row) | {"hub": row.get("hub") or ""}) for row in _rows(tables, noun)}
        for noun in NOUNS
    }
    found["hosts"] = {row["id"]: _of(row, *HOST_KEYS) for row in _rows(tables, "hosts")}
    on_hosts = _hosts_of_systems(tables)
    for name, system in found["systems"].items():
        system["hosts"] = on_hosts.get(name, ())
        if system["hosts"] and not system["groups"]:  # from before there were groups
            system["groups"] = ({"name": "hosts", "rule": ALL, "members": system["hosts"]},)
    return Topology(**found)


def counts(tables: Tables) -> Shown:
    """How many of each there are; systems and agents also by grade and status."""
    grades = Counter(row["grade"] for row in _rows(tables, "systems"))
    statuses = Counter(row["status"] for row in _rows(tables, "agents"))
    return {
        **{noun: len(_rows(tables, noun)) for noun in LISTS},
        **{f"systems_grade_{grade}": grades[grade] for grade in sorted(grades)},
        **{f"agents_{status}": statuses[status] for status in sorted(statuses)},
    }


def listed(tables: Tables, noun: str) -> list[Shown]:
    """One of LISTS; systems by grade, the most important first."""
    return LISTS[noun](tables)


def _agencies(tables: Tables) -> list[Shown]:
    return [_of(row, "id", "name_ko", "name_en") for row in _rows(tables, "agencies")]


def _systems(tables: Tables) -> list[Shown]:
    on_hosts = _hosts_of_systems(tables)
    rows = [
        _of(row, "id", "grade", "agency", "name_ko", "name_en") | {"hosts": on_hosts.get(row["id"], ())}
        for row in _rows(tables, "systems")
    ]
    return sorted(rows, key=lambda row: (row["grade"], row["id"]))


def _hubs(tables: Tables) -> list[Shown]:
    return [_of(row, "id", "name_ko", "name_en", "url") for row in _rows(tables, "hubs")]


def _sites(tables: Tables) -> list[Shown]:
    there = Counter(row["site"] for row in _rows(tables, "hosts"))
    keys = ("id", "agency", "hub", "name_ko", "name_en", "facility", "timezone", "link_profile")
    return [_of(row, *keys) | {"hosts": there[row["id"]]} for row in _rows(tables, "sites")]


def _hosts(tables: Tables) -> list[Shown]:
    return [_of(row, "id", "site", "agency", "role", "is_shared", "agent_id") for row in _rows(tables, "hosts")]


def _agents(tables: Tables) -> list[Shown]:
    keys: dict[bytes, list[str]] = {}
    for row in sorted(_rows(tables, "agent_keys"), key=lambda row: int(row["key_no"])):
        keys.setdefault(row["agent_id"], []).append(row["public_key"].hex())
    return [
        _of(row, "id", "host", "site", "status")
        | {"enrolled_at": instant(row["enrolled_at"]), "public_keys": tuple(keys.get(row["id"], ()))}
        for row in _rows(tables, "agents")
    ]


LISTS: Mapping[str, Callable[[Tables], list[Shown]]] = {
    "agencies": _agencies,
    "systems": _systems,
    "hubs": _hubs,
    "sites": _sites,
    "hosts": _hosts,
    "agents": _agents,
}


def _rows(tables: Tables, noun: str) -> list[Row]:
    return sorted((frozen(row) for row in tables.get(noun, ())), key=lambda row: str(row.get("id", "")))


def _hosts_of_systems(tables: Tables) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for row in _rows(tables, "system_hosts"):
        found.setdefault(row["system"], []).append(row["host"])
    return {system: tuple(sorted(on)) for system, on in found.items()}


def _of(row: Row, *keys: str) -> Shown:
    return {key: row.get(key) for key in keys}
