"""``bongsu beat``: heartbeats, which tell something by staying away."""

from __future__ import annotations

import argparse
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError

from agent.link.clock import SystemChance, SystemClock
from collector.access.audit import on_command_line, record
from collector.alerts import beat_queries as queries
from collector.alerts.beat import Beat, paused, resumed
from collector.alerts.beat_asked import NewBeat, beat_of, url_of
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import print_rows
from collector.errors import Refused, UsageError
from collector.fleet.registry import Registry
from collector.rules.files import read_duration_ms
from collector.store.schema import instant
from collector.store.scope import EVERYTHING


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "beat", help="watch jobs that call when they are done", epilog="example: bongsu beat list"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = verb(
        actions,
        "add",
        "watch a job, and print once the address it has to call",
        "bongsu beat add backup --cron '0 3 * * *' --grace 30m --host db1.dc-gwj",
    )
    create.add_argument("name", metavar="NAME", help="a short name")
    when = create.add_mutually_exclusive_group(required=True)
    when.add_argument("--period", default="", metavar="T", help="calls at least this often, such as 90s, 15m, 1d")
    when.add_argument("--cron", default="", metavar="LINE", help="calls at these times, five fields")
    create.add_argument("--timezone", default="Asia/Seoul", metavar="Z", help="whose clock --cron reads (Asia/Seoul)")
    create.add_argument("--grace", default="10m", metavar="T", help="how late it may be, and how long it may run (10m)")
    create.add_argument("--title", default="", metavar="TEXT", help="what it is, for people")
    create.add_argument(
        "--severity", default="warning", choices=("critical", "warning", "info"), help="of the alert (warning)"
    )
    about = create.add_mutually_exclusive_group()
    for kind in ("site", "host", "system", "agency"):
        about.add_argument(f"--{kind}", default="", metavar=kind[0].upper(), help=f"the {kind} it is about")
    verb(actions, "list", "list heartbeats and how they are", "bongsu beat list", json=True)
    for name, summary in (
        ("pause", "wait for one no more"),
        ("resume", "wait for it again"),
        ("remove", "forget one; its address is worthless at once"),
        ("key", "give one another address; the old one is worthless at once"),
    ):
        verb(actions, name, summary, f"bongsu beat {name} backup").add_argument("name", metavar="NAME")


def run(args: argparse.Namespace) -> int:
    now = instant(SystemClock().wall_ms())
    if args.action == "add":
        return _add(args, now)
    return _list(args, now) if args.action == "list" else _change(args, now)


def _add(args: argparse.Namespace, now: datetime) -> int:
    with opened(args) as (settings, store):
        registry = Registry(store)
        registry.refresh()
        try:
            wanted = NewBeat(
                id=args.name,
                title=args.title,
                period_seconds=_seconds("--period", args.period),
                cron=args.cron,
                timezone=args.timezone,
                grace_seconds=_seconds("--grace", args.grace),
                severity=args.severity,
                agency=args.agency,
                site=args.site,
                host=args.host,
                system=args.system,
            )
            beat = beat_of(wanted, registry.fleet, on_command_line()[:64], now)
        except ValidationError as why:
            first = why.errors()[0]
            raise UsageError(f"{first['loc'][0]}: {first['msg']}") from why
        except Refused as why:
            raise UsageError(why.detail) from why
        try:
            with store.transaction() as connection:
                key = queries.add_beat(connection, beat, SystemChance())
                record(connection, now, on_command_line(), "beat.add", beat.id)
        except IntegrityError as why:
            raise UsageError(f"there is a heartbeat {beat.id!r} already; see: bongsu beat list") from why
    url = url_of(settings.server.url, key)
    print(f"{url}\n\nWatched from its first call on, for example at the end of the job:\n")
    print(f"    curl -fsS -m 10 --retry 5 {url}/$?")
    return 0


def _list(args: argparse.Namespace, now: datetime) -> int:
    with opened(args) as (_, store), store.reading() as connection:
        found = queries.list_beats(connection, EVERYTHING)
    rows = [
        {
            "name": beat.id,
            "status": beat.status(now),
            "last": beat.last_at,
            "alert_after": beat.alert_after,
            "down_since": beat.down_at if beat.is_down else None,
            "expected": beat.cron or f"{beat.period_seconds} s",
            "grace_seconds": beat.grace_seconds,
            "about": beat.host or beat.system or beat.site or beat.agency,
        }
        for beat in found
    ]
    print_rows(rows, args.json, empty="No heartbeats. Watch a job with: bongsu beat add NAME --period 1d")
    return 0


def _change(args: argparse.Namespace, now: datetime) -> int:
    said = ""
    with opened(args) as (settings, store), store.transaction() as connection:
        beat = queries.find_beat(connection, args.name, EVERYTHING)
        if beat is None:
            raise UsageError(f"no such heartbeat: {args.name!r}; see: bongsu beat list")
        if args.action == "remove":
            queries.remove_beat(connection, beat.id)
            said = f"Heartbeat {beat.id!r} is forgotten."
        elif args.action == "key":
            said = url_of(settings.server.url, queries.new_key(connection, beat.id, SystemChance()))
        else:
            after: Beat = (paused if args.action == "pause" else resumed)(beat, now)
            queries.write_beat(connection, after)
            said = f"Heartbeat {beat.id!r} is {after.status(now)}."
        record(connection, now, on_command_line(), f"beat.{args.action}", beat.id)
    print(said)
    return 0


def _seconds(option: str, text: str) -> int:
    if not text:
        return 0
    try:
        return read_duration_ms(text) // 1000
    except ValueError as why:
        raise UsageError(f"{option} {text!r}: expected a duration such as 90s, 15m, 1d") from why
