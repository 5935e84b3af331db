"""``bongsu import FILE.csv``: take over a list of hosts, whole or not at all."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from sqlalchemy import select

from agent.link.clock import SystemClock
from collector.access.audit import on_command_line, record
from collector.agencies.tables import agencies
from collector.cli.options import Verbs, opened_centre, verb
from collector.errors import TopologyError, UsageError
from collector.fleet.host_list import COLUMNS, read_hosts
from collector.fleet.host_list_apply import owned_by_file, take_over
from collector.fleet.tables import sites
from collector.store.schema import instant


class _OnlyLooked(Exception):
    """Undoes the transaction of a dry run."""


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs,
        "import",
        "take over a list of hosts, whole or not at all",
        "bongsu import hosts.csv --dry-run",
        json=True,
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE.csv", help=f"columns: {', '.join(COLUMNS)}; name and site are needed"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")


def run(args: argparse.Namespace) -> int:
    try:
        text = args.file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as why:
        raise UsageError(f"{args.file}: cannot be read ({why})") from why
    with opened_centre(args) as (_, store):
        try:
            with store.transaction() as connection:
                places = {row.id: row.agency for row in connection.execute(select(sites.c.id, sites.c.agency))}
                owners = set(connection.execute(select(agencies.c.id)).scalars())
                wanted = read_hosts(text, str(args.file), places, owners, owned_by_file(connection), _progress)
                _progress(len(wanted), is_last=True)
                taken = take_over(connection, wanted)
                if args.dry_run:
                    raise _OnlyLooked
                now = instant(SystemClock().wall_ms())
                record(connection, now, on_command_line(), "config.import", args.file.name, taken._asdict())
        except _OnlyLooked:
            pass
        except TopologyError as why:
            for problem in why.problems:
                print(problem, file=sys.stderr)
            print("bongsu import: nothing was changed", file=sys.stderr)
            return 1
    if args.json:
        print(json.dumps({"applied": not args.dry_run, **taken._asdict()}))
        return 0
    words = f"{taken.made} made, {taken.changed} changed, {taken.gone} gone, {taken.adopted} adopted"
    print(("Would be: " if args.dry_run else "Applied: ") + words + ".")
    return 0


def _progress(rows: int, *, is_last: bool = False) -> None:
    """On a terminal a line that grows, else a line each ten thousand rows."""
    if sys.stderr.isatty():
        print(f"\r{rows} rows", end="\n" if is_last else "", file=sys.stderr, flush=True)
    elif rows % 10_000 == 0 or is_last:
        print(f"{rows} rows read", file=sys.stderr)
