"""A list of hosts as CSV (``bongsu import FILE.csv``): what an inventory exports, one host a line.

    name,site,agency,role,shared,agent,tags
    srv1,abuja,mofa,file server,no,,far
    router1,abuja,,router,yes,srv1.abuja,

Pure: text in, rows or every mistake out, each with line and column:

    hosts.csv:31: site: 'abudja': no such site; did you mean 'abuja'?
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Mapping
from typing import Any

from collector.errors import TopologyError, nearest
from collector.fleet.topology_keys import HOST_ID, HOST_ID_WORDS, NAME, NAME_WORDS
from collector.fleet.topology_policy import TAG

Row = dict[str, Any]
NEEDED, OPTIONAL = ("name", "site"), ("agency", "role", "shared", "agent", "tags")
COLUMNS = (*NEEDED, *OPTIONAL)
YES, NO = ("yes", "true", "1"), ("no", "false", "0", "")
MOST_PROBLEMS = 50
STEP_ROWS = 1_000


def read_hosts(
    text: str,
    file: str,
    sites: Mapping[str, str],
    agencies: Collection[str],
    owned: Collection[str],
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Row]:
    """Rows by host id. ``sites``: site -> its agency; ``owned``: hosts the topology file owns.

    Raises TopologyError with every mistake (the first 50), and calls ``progress`` with the lines read.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        head = [name.strip() for name in next(reader, [])]
    except csv.Error as why:
        raise TopologyError([f"{file}:1: not CSV: {why}"]) from why
    problems = _head_faults(head, file)
    if problems:
        raise TopologyError(problems)
    found: dict[str, Row] = {}
    try:
        for count, cells in enumerate(reader, 1):
            if count % STEP_ROWS == 0:
                progress(count)
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{file}:{reader.line_num}"
            if len(cells) != len(head):
                problems.append(f"{where}: {len(cells)} columns, expected {len(head)}: {', '.join(head)}")
                continue
            values = dict.fromkeys(COLUMNS, "") | dict(zip(head, (cell.strip() for cell in cells), strict=True))
            faults = _faults(values, sites, agencies)
            host = f"{values['name']}.{values['site']}"
            if not faults and host in found:
                faults = [f"name: {host!r} is there twice; each host once"]
            if not faults and host in owned:
                faults = [f"name: {host!r} is in the topology file, which owns it; take it out of one of the two"]
            problems += [f"{where}: {fault}" for fault in faults]
            if not faults:
                found[host] = _row(host, values, sites)
    except csv.Error as why:
        problems.append(f"{file}:{reader.line_num}: not CSV: {why}")
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise TopologyError(problems[:MOST_PROBLEMS] + ([f"{file}: and {more} more mistakes"] if more > 0 else []))
    return found


def _head_faults(head: list[str], file: str) -> list[str]:
    faults = [f"{file}:1: column {name!r}: unknown; {nearest(name, COLUMNS)}" for name in head if name not in COLUMNS]
    faults += [
        f"{file}:1: column {name!r}: missing; expected {', '.join(COLUMNS)}" for name in NEEDED if name not in head
    ]
    faults += [f"{file}:1: column {name!r}: is there twice" for name in sorted({n for n in head if head.count(n) > 1})]
    return faults


def _faults(values: Mapping[str, str], sites: Mapping[str, str], agencies: Collection[str]) -> list[str]:
    faults = []
    if NAME.fullmatch(values["name"]) is None:
        faults.append(f"name: {values['name']!r}: expected {NAME_WORDS}")
    if values["site"] not in sites:
        faults.append(f"site: {values['site']!r}: no such site; {nearest(values['site'], sorted(sites))}")
    if values["agency"] and values["agency"] not in agencies:
        faults.append(f"agency: {values['agency']!r}: no such agency; {nearest(values['agency'], sorted(agencies))}")
    if len(values["role"]) > 64 or not values["role"].isprintable():
        faults.append(f"role: {values['role']!r}: expected text of up to 64 characters")
    if values["shared"].lower() not in (*YES, *NO):
        faults.append(f"shared: {values['shared']!r}: expected yes or no")
    if values["agent"] and HOST_ID.fullmatch(values["agent"]) is None:
        faults.append(f"agent: {values['agent']!r}: expected {HOST_ID_WORDS}")
    elif values["agent"] and values["agent"].rpartition(".")[2] != values["site"]:
        faults.append(f"agent: {values['agent']!r}: at another site; an agent speaks for hosts of its own site")
    elif values["agent"] and values["agent"] == f"{values['name']}.{values['site']}":
        faults.append("agent: is the host itself; leave it out where an agent runs")
    faults += [
        f"tags: {tag!r}: expected words of a-z, 0-9 and '-'"
        for tag in values["tags"].split()
        if TAG.fullmatch(tag) is None
    ]
    return faults


def _row(host: str, values: Mapping[str, str], sites: Mapping[str, str]) -> Row:
    return {
        "id": host,
        "name": values["name"],
        "site": values["site"],
        "agency": values["agency"] or sites[values["site"]],
        "is_shared": values["shared"].lower() in YES,
        "role": values["role"],
        "via": values["agent"],
        "tags": tuple(sorted(set(values["tags"].split()))),
    }
