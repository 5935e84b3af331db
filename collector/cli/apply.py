"""``bongsu apply FILE``: take over a topology file, one of rosters or one of escalation, whole or not at all."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from agent.link.clock import SystemClock
from collector.access.audit import on_command_line, record
from collector.cli.options import Verbs, opened, refuse_hub, verb
from collector.errors import TopologyError, UsageError
from collector.escalation.policy_apply import apply_escalation
from collector.escalation.policy_file import is_escalation_file, read_escalation
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.fleet.topology_change import Change, summary
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import is_roster_file, read_rosters
from collector.store.schema import instant

TOLD = 200
"""So many changes of one file are named in the audit log; of all it has the number."""


class _OnlyLooked(Exception):
    """Undoes the transaction of a dry run."""


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs,
        "apply",
        "check a file of topology, rosters or escalation, show the difference and take it over whole or not at all",
        "bongsu apply topology.toml --dry-run",
        json=True,
    )
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="the file; topology.toml, rosters.toml and escalation.toml in configs document the keys",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")
    parser.add_argument("--yes", action="store_true", help="do not ask; without a terminal nobody is asked")


def run(args: argparse.Namespace) -> int:
    try:
        text = args.file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"{args.file}: cannot be read ({why})") from why
    changes: list[Change] = []
    applied = False
    with opened(args) as (settings, store):
        if not (is_roster_file(text) or is_escalation_file(text)):
            refuse_hub(settings)  # its people and how they are called, while it is cut off, are a hub's own
        try:
            take_over = _read(text, str(args.file))
            with store.transaction() as connection:
                changes = take_over(connection)
                if args.dry_run or not _is_agreed(args, changes):
                    raise _OnlyLooked
                now = instant(SystemClock().wall_ms())
                if changes:
                    record(connection, now, on_command_line(), "config.apply", args.file.name, _told(changes))
                applied = True
        except _OnlyLooked:
            pass
        except TopologyError as why:
            for problem in why.problems:
                print(problem, file=sys.stderr)
            count = len(why.problems)
            print(
                f"bongsu apply: {count} {'mistake' if count == 1 else 'mistakes'}, nothing was changed", file=sys.stderr
            )
            return 1
    if args.json:
        rows = [{"sign": c.sign, "noun": c.noun, "id": c.id, "fields": [list(f) for f in c.fields]} for c in changes]
        print(json.dumps({"applied": applied, "changes": rows}, ensure_ascii=False, indent=2))
        return 0
    if not _asks(args):
        _show(changes)
    if not changes:
        print("Nothing to change: the file says what is.")
    else:
        print(("Applied: " if applied else "Would be: ") + summary(changes) + ".")
    return 0


def _read(text: str, file: str) -> Callable[[Connection], list[Change]]:
    """What takes the file over, by what its tables say it is. Raises TopologyError."""
    if is_roster_file(text):
        people = read_rosters(text, file)
        return lambda connection: apply_rosters(connection, people)
    if is_escalation_file(text):
        plan = read_escalation(text, file)
        return lambda connection: apply_escalation(connection, plan)
    fleet = read_topology(text, file)
    return lambda connection: apply_topology(connection, fleet)


def _told(changes: list[Change]) -> dict[str, Any]:
    """What the audit log keeps of it: names and keys; values may be addresses of people."""
    named = [f"{c.sign} {c.noun} {c.id} {' '.join(key for key, _, _ in c.fields) if c.sign == '~' else ''}".rstrip()
             for c in changes]  # fmt: skip
    return {"changes": len(changes), "first": named[:TOLD]}


def _asks(args: argparse.Namespace) -> bool:
    return not (args.yes or args.dry_run or args.json) and sys.stdin.isatty()


def _show(changes: list[Change]) -> None:
    for change in changes:
        print(change)


def _is_agreed(args: argparse.Namespace, changes: list[Change]) -> bool:
    """Whether to go on: somebody at a terminal sees the difference first and says so."""
    if not changes or not _asks(args):
        return True
    _show(changes)
    return input(f"{summary(changes)}. Take it over? [y/N] ").strip().lower() in ("y", "yes")
