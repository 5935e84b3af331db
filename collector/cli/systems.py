"""``bongsu systems``: list information systems with their states, or show one with what it stands on.

States are those the running collector last wrote, so that this also answers while it does not run.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from sqlalchemy import Connection

from agent.link.clock import SystemClock
from collector.agencies.queries import SystemRow, list_systems
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows, table
from collector.cli.standing import reports_of, say_age
from collector.errors import UsageError
from collector.fleet.registry import Fleet, read_fleet
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.verdicts.past import Books
from collector.verdicts.queries import failing, recorded
from collector.verdicts.standing import DEGRADED, DOWN, NO_DATA, STATES

ALL = 1_000_000
NOT_JUDGED = "not judged"


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs, "systems", "list information systems, or show what one stands on", "bongsu systems portal", json=True
    )
    parser.add_argument("system", nargs="?", default="", metavar="SYSTEM", help="show this one with its groups")
    parser.add_argument("--grade", type=int, choices=(1, 2, 3, 4), help="only information systems of this grade")


def run(args: argparse.Namespace) -> int:
    with opened(args) as (_, store), store.reading() as connection:
        rows = list_systems(connection, EVERYTHING, limit=ALL)
        books, reports = recorded(connection), reports_of(connection)
        if args.system:
            row = next((row for row in rows if row.id == args.system), None)
            if row is None:
                raise UsageError(f"no information system {args.system!r}; see: bongsu systems")
            say_age(reports, SystemClock().wall_ms())
            return _show(row, read_fleet(connection, 0), books, connection, as_json=args.json)
    found = [_line(row, books) for row in sorted(rows, key=lambda row: (row.grade, row.id))]
    print_rows(
        [line for line in found if args.grade in (None, line["grade"])],
        args.json,
        empty="No information systems. Describe them in a file and take it over with: bongsu apply FILE",
    )
    say_age(reports, SystemClock().wall_ms())
    return 0


def _line(row: SystemRow, books: Books) -> dict[str, Any]:
    found = books["system"].get(row.id)
    return {
        "id": row.id,
        "grade": row.grade,
        "state": STATES[found.state] if found is not None else NOT_JUDGED,
        "since": instant(found.since_ms) if found is not None else None,
        "reason": found.reason if found is not None else "",
        "cause": found.cause if found is not None else "",
        "agency": row.agency,
        "name_ko": row.name_ko,
        "name_en": row.name_en,
        "hosts": row.hosts,
    }


def _show(row: SystemRow, fleet: Fleet, books: Books, connection: Connection, *, as_json: bool) -> int:
    system = fleet.systems[row.id]
    checks = {f"{check.host}/{check.check}": check.state for check in failing(connection)}
    line = _line(row, books)
    groups = [
        {"group": group.name, "rule": group.rule, "member": member, "state": _state(member, books, checks)}
        for group in system.groups
        for member in group.members
    ]
    parents = [
        {"system": name, "relation": relation, "state": _state(name, books, checks)}
        for relation, names in (("depends on", system.depends_on), ("uses", system.uses))
        for name in names
    ]
    interfaces = [
        {
            "interface": each.id,
            "source": each.source,
            "source_owner": each.source_owner,
            "target": each.target,
            "target_owner": each.target_owner,
            "state": STATES[found.state] if (found := books["interface"].get(each.id)) is not None else NOT_JUDGED,
        }
        for each in fleet.interfaces.values()
        if row.id in (each.source, each.target)
    ]
    if as_json:
        since = line["since"].isoformat() if line["since"] is not None else None
        whole = {**line, "since": since, "groups": groups, "stands_on": parents, "interfaces": interfaces}
        print(json.dumps(whole, ensure_ascii=False, indent=2))
        return 0
    print_rows([line], False, empty="")
    for rows in (groups, parents, interfaces):
        if rows:
            print()
            print(table([list(rows[0]), *[list(map(str, each.values())) for each in rows]]))
    return 0


def _state(member: str, books: Books, checks: dict[str, int]) -> str:
    """A check's own where it fails, else its host's: rows hold only checks that fail."""
    kind, subject = ("system", member) if member in books["system"] else ("host", member.partition("/")[0])
    found = books[kind].get(subject)
    state = found.state if found is not None else NO_DATA
    if state not in (NO_DATA, DOWN) and member in checks:
        state = {1: DEGRADED, 2: DOWN}.get(checks[member], NO_DATA)
    return STATES[state] if found is not None else NOT_JUDGED
