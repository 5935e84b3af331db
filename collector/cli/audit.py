"""``bongsu audit``: read, check and copy out the log of who did what."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from agent.link.clock import SystemClock
from collector.access.audit import list_heads, on_command_line, read_log, record, tip_of, whole_log
from collector.access.chain import Fault, Head, Row, faults
from collector.access.job import heads_file, read_heads
from collector.access.review import review
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows
from collector.errors import UsageError
from collector.fleet.keys import load_keys
from collector.settings import Settings
from collector.store.schema import instant

COLUMNS = ("seq", "at", "actor", "action", "subject", "data")


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "audit", help="read, check and copy out the audit log", epilog="example: bongsu audit verify"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = verb(
        actions, "verify", "say whether a row was edited, removed or put in", "bongsu audit verify", json=True
    )
    verify.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="N:HASH",
        help="what was printed of the log some day; again for more",
    )
    listed = verb(actions, "list", "show the newest rows", "bongsu audit list --what login --days 7", json=True)
    listed.add_argument("--limit", type=int, default=100, metavar="N", help="how many at most (100)")
    export = verb(actions, "export", "write rows to a file (.csv or .jsonl)", "bongsu audit export audit.csv --days 31")
    export.add_argument("file", type=Path, metavar="FILE")
    for one in (listed, export):
        one.add_argument("--who", default="", metavar="USER", help="only what this one did")
        one.add_argument("--what", default="", metavar="ACTION", help="only this, such as login or login.failed")
        one.add_argument("--subject", default="", metavar="S", help="only what was done to this")
        one.add_argument("--days", type=int, metavar="N", help="only the last so many days")
    month = verb(
        actions, "review", "sum a month up for the access review", "bongsu audit review --month 2026-11", json=True
    )
    month.add_argument("--month", required=True, metavar="YYYY-MM", help="which month, by Korea time")


def run(args: argparse.Namespace) -> int:
    with opened(args) as (settings, store):
        if args.action == "verify":
            with store.reading() as connection:
                return _verify(args, settings, connection)
        now = instant(SystemClock().wall_ms())
        with store.transaction() as connection:
            if args.action == "review":
                rows = review(connection, args.month)
                record(connection, now, on_command_line(), "audit.review", args.month)
            elif args.action == "list":
                rows = [shown(row) for row in _found(args, connection, now, limit=args.limit)]
                record(connection, now, on_command_line(), "audit.view", "", {"rows": len(rows)})
            else:
                found = _found(args, connection, now, limit=1 << 31)[::-1]
                record(connection, now, on_command_line(), "export.audit", args.file.name, {"rows": len(found)})
                _write(args.file, (shown(row) for row in found))
                print(f"{args.file}: {len(found)} rows.")
                return 0
    if not args.json:
        rows = [{**row, "data": json.dumps(row["data"], ensure_ascii=False)} if "data" in row else row for row in rows]
    print_rows(rows, args.json, empty="Nothing was found.")
    return 0


def shown(row: Row) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": datetime.fromtimestamp(row.at_ms / 1000, UTC),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "data": row.data,
    }


def _found(args: argparse.Namespace, connection: Connection, now: datetime, limit: int) -> list[Row]:
    if args.days is not None and args.days < 1:
        raise UsageError(f"--days {args.days}: expected at least 1")
    since = 0 if args.days is None else int((now - timedelta(days=args.days)).timestamp() * 1000)
    return read_log(connection, actor=args.who, action=args.what, subject=args.subject, from_ms=since, limit=limit)


def _verify(args: argparse.Namespace, settings: Settings, connection: Connection) -> int:
    file = heads_file(settings.data_dir)
    try:
        heads = [*list_heads(connection), *read_heads(file)]
    except (ValueError, KeyError, TypeError, OSError) as why:
        raise UsageError(f"{file}: cannot be used ({why}); restore it from a copy") from why
    public = load_keys(settings.data_dir).own.public
    tip = tip_of(connection)
    found = [*faults(whole_log(connection), heads, tip, public), *_unlike(args.head, connection)]
    if args.json:
        answer = {
            "rows": tip[0],
            "hash": tip[1].hex(),
            "heads": len(set(heads)),
            "faults": [f._asdict() for f in found],
        }
        print(json.dumps(answer, ensure_ascii=False, indent=2))
        return 1 if found else 0
    for fault in found:
        print(f"{fault.what}: {fault.text}", file=sys.stderr)
    if found:
        print(f"The audit log is not whole: {len(found)} {'fault' if len(found) == 1 else 'faults'}.", file=sys.stderr)
        return 1
    newest: Head | None = max(heads, default=None, key=lambda head: head.seq)
    signed = f"signed up to row {newest.seq}" if newest is not None else "nothing signed yet"
    print(f"The audit log is whole up to row {tip[0]}, {signed}.\nKeep this elsewhere: {tip[0]}:{tip[1].hex()}")
    return 0


def _unlike(told: list[str], connection: Connection) -> Iterator[Fault]:
    """What the log has otherwise than it was printed."""
    for text in told:
        number, _, digest = text.partition(":")
        if not number.isdecimal() or len(digest) != 64:
            raise UsageError(f"--head {text!r}: expected N:HASH, as bongsu audit verify prints it")
        rows = read_log(connection, before=int(number) + 1, limit=1)
        if not rows or rows[0].seq != int(number):
            yield Fault("missing", int(number), f"row {number} was printed once, and is missing")
        elif rows[0].hash.hex() != digest.lower():
            yield Fault("rewritten", int(number), f"row {number} is not the one that was printed")


def _write(file: Path, rows: Iterator[dict[str, Any]]) -> None:
    if file.suffix not in (".csv", ".jsonl"):
        raise UsageError(f"{file}: expected a name that ends in .csv or .jsonl")
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        if file.suffix == ".csv":
            table.writerow(COLUMNS)
        for row in rows:
            plain = {**row, "at": row["at"].isoformat(timespec="milliseconds")}
            if file.suffix == ".csv":
                # A spreadsheet takes what begins so for a formula.
                cells = [*list(plain.values())[:-1], json.dumps(plain["data"], ensure_ascii=False)]
                table.writerow([f"'{cell}" if str(cell)[:1] in "=+-@\t" else cell for cell in cells])
            else:
                out.write(json.dumps(plain, ensure_ascii=False) + "\n")
