"""``[[systems]]`` and ``[[interfaces]]`` of the topology file.

[[systems]]
id = "visa"
agency = "mofa"
grade = 2
groups = [
  { name = "web", rule = "1 of 2", members = ["web1.dc-gwj", "web2.dc-gwj"] },
  { name = "database", rule = "standby", members = ["db1.dc-gwj", "db2.dc-dgu"] },
  { name = "queue", rule = "all", members = ["web1.dc-gwj/process:queue"] },      # a check of a host
]
depends_on = ["login"]                  # it is down when these are
uses = ["mail"]                         # it is degraded when these are down
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from collector.errors import nearest
from collector.fleet.paths import ALL, ANY, STANDBY, MemberKind, member_kind
from collector.fleet.topology_paths import HOST_ID, HOSTS, NAME, fits, is_text, list_of

Row = dict[str, Any]
Rows = Mapping[str, Row]
Key = tuple[Any, Callable[[Any], bool], str]
RULE = re.compile(r"(?:all|any|standby|[1-9]\d{0,3} of [1-9]\d{0,3})")
GROUP_KEYS = ("name", "rule", "members")


def _is_member(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > 400 or not value.isprintable():
        return False
    head, slash, check = value.partition("/")
    if slash:
        return HOST_ID.fullmatch(head) is not None and bool(check)
    return (HOST_ID if "." in value else NAME).fullmatch(value) is not None


def _is_group(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != set(GROUP_KEYS) or not is_text(64)(value["name"]):
        return False
    rule, members = value["rule"], value["members"]
    return isinstance(rule, str) and RULE.fullmatch(rule) is not None and list_of(_is_member)(members) and bool(members)


def _is_check(value: Any) -> bool:
    return value == "" or (_is_member(value) and "/" in value)


IDS = list_of(fits(NAME))
SYSTEM_KEYS: Mapping[str, Key] = {
    "hosts": HOSTS,
    "groups": (
        [],
        list_of(_is_group),
        "tables { name, rule, members }; rule all, any, standby or 'N of M'; a member is a host id, HOST/CHECK or a system",
    ),
    "depends_on": ([], IDS, "a list of ids of systems"),
    "uses": ([], IDS, "a list of ids of systems"),
}
INTERFACE_KEYS: Mapping[str, Key] = {
    "source": (None, fits(NAME), "the id of a system"),
    "target": (None, fits(NAME), "the id of a system"),
    "source_owner": ("", fits(NAME, may_be_empty=True), "the id of an agency, or '' for the system's"),
    "target_owner": ("", fits(NAME, may_be_empty=True), "the id of an agency, or '' for the system's"),
    "check": ("", _is_check, "HOST/CHECK, such as 'gw1.dc-gwj/http:share'"),
}


def kept_system(row: Row) -> Row:
    """A system as it stands in the rows: ``hosts`` become a group of their own that needs all of them, and then are
    every host the system stands on."""
    groups = [
        {"name": g["name"], "rule": g["rule"], "members": tuple(dict.fromkeys(g["members"]))} for g in row["groups"]
    ]
    if row["hosts"]:
        groups.insert(0, {"name": "hosts", "rule": ALL, "members": tuple(sorted(set(row["hosts"])))})
    return {
        **row,
        "groups": tuple(groups),
        "hosts": hosts_of(groups),
        "depends_on": tuple(dict.fromkeys(row["depends_on"])),
        "uses": tuple(dict.fromkeys(row["uses"])),
    }


def kept_interface(row: Row, systems: Rows) -> Row:
    def owner(end: str) -> str:
        return str(row[f"{end}_owner"] or systems.get(row[end], {}).get("agency", ""))

    return row | {"source_owner": owner("source"), "target_owner": owner("target")}


def hosts_of(groups: Any) -> tuple[str, ...]:
    """Every host that is a member, or has a check that is one."""
    members = [member for group in groups for member in group["members"]]
    return tuple(sorted({m.partition("/")[0] for m in members if member_kind(m) is not MemberKind.SYSTEM}))


def faults_of_system(row: Row, systems: Rows) -> list[tuple[str, str]]:
    """(value to find the line by, text) of what is wrong with groups and dependencies."""
    faults = []
    for group in row["groups"]:
        count, rule = len(group["members"]), group["rule"]
        if rule == STANDBY and count != 2:
            faults.append((group["name"], f"group {group['name']!r}: a standby pair has 2 members, not {count}"))
        elif rule not in (ALL, ANY, STANDBY):
            needed, _, total = rule.partition(" of ")
            if int(total) != count or int(needed) > count:
                text = f"group {group['name']!r}: rule = {rule!r}, but it has {count} members; expected 'N of {count}'"
                faults.append((group["name"], text))
    members = [m for g in row["groups"] for m in g["members"] if member_kind(m) is MemberKind.SYSTEM]
    for key, named in (("groups", members), ("depends_on", row["depends_on"]), ("uses", row["uses"])):
        faults += [
            (name, f"{key}: {name!r}: no such system among [[systems]]; {nearest(name, list(systems))}")
            for name in named
            if name not in systems
        ]
    return faults


def circle(systems: Rows) -> list[str]:
    """Systems that stand on each other in a circle, the first again at the end; empty where there is none."""
    try:
        TopologicalSorter({name: _parents(row) for name, row in systems.items()}).prepare()
    except CycleError as why:
        return list(reversed(why.args[1]))
    return []


def _parents(row: Row) -> list[str]:
    members = [m for g in row["groups"] for m in g["members"] if member_kind(m) is MemberKind.SYSTEM]
    return [*members, *row["depends_on"], *row["uses"]]
