"""``bongsu apply FILE``: take over a topology file, whole or not at all."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from collector.cli.options import Verbs, opened_centre, verb
from collector.errors import TopologyError, UsageError
from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.fleet.topology_change import summary


class _OnlyLooked(Exception):
    """Undoes the transaction of a dry run."""


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs,
        "apply",
        "check a topology file, show the difference and take it over whole or not at all",
        "bongsu apply topology.toml --dry-run",
        json=True,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the file; configs/topology.toml documents its keys")
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")


def run(args: argparse.Namespace) -> int:
    try:
        text = args.file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"{args.file}: cannot be read ({why})") from why
    changes = []
    with opened_centre(args) as (_, store):
        try:
            wanted = read_topology(text, str(args.file))
            with store.transaction() as connection:
                changes = apply_topology(connection, wanted)
                if args.dry_run:
                    raise _OnlyLooked
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
        print(json.dumps({"applied": not args.dry_run, "changes": rows}, ensure_ascii=False, indent=2))
        return 0
    for change in changes:
        print(change)
    if not changes:
        print("Nothing to change: the file says what is.")
    else:
        print(("Would be: " if args.dry_run else "Applied: ") + summary(changes) + ".")
    return 0
