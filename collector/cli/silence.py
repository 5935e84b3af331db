"""``bongsu silence``: which alerts nobody is to hear of, until when, and what that holds back."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta

from collector.access.audit import on_command_line
from collector.access.caller import Caller
from collector.alerts.matcher_words import BadMatcher, read_matcher
from collector.alerts.silence import EXPIRED, Silences, Words
from collector.alerts.silence_desk import NotKept, SilenceDesk
from collector.alerts.silence_queries import all_silences
from collector.cli.incident_desk import Desk, at_desk
from collector.cli.options import Verbs, opened_centre, verb
from collector.cli.printing import print_rows
from collector.errors import UsageError
from collector.history.matchers import accept, matcher
from collector.incidents.incident import OPEN
from collector.incidents.queries import list_incidents, signals_of
from collector.pages.desk import labels_of
from collector.rules.files import read_duration_ms
from collector.store.scope import EVERYTHING

MOST_OPEN = 1_000


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "silence", help="say which alerts nobody is to hear of", epilog="example: bongsu silence list"
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = verb(
        actions,
        "add",
        "silence what meets every matcher; incidents are still opened and shown",
        "bongsu silence add alertname=DiskFull 'site=~\"abuja|lima\"' --for 2h --reason 'disk is being replaced'",
    )
    create.add_argument(
        "matchers", nargs="+", metavar="MATCHER", help="as amtool writes them: label=value, label=~regex"
    )
    create.add_argument("--for", dest="lasts", default="2h", metavar="T", help="how long, such as 30m, 2h, 3d (2h)")
    create.add_argument("--reason", required=True, metavar="TEXT", help="why, and whom to ask")
    create.add_argument("--dry-run", action="store_true", help="only say what it would hold back now")
    listed = verb(actions, "list", "list silences", "bongsu silence list", json=True)
    listed.add_argument("--all", action="store_true", help="with those that are over")
    end = verb(actions, "end", "end one now", "bongsu silence end 5b1c9f0e")
    end.add_argument("name", metavar="ID", help="its id, or how it begins")


def run(args: argparse.Namespace) -> int:
    with opened_centre(args) as (settings, store):
        at = at_desk(settings, store)
        silences = Silences()
        with store.reading() as connection:
            silences.replace(all_silences(connection))
        desk = SilenceDesk(store, at.clock, lambda _at: (), silences)
        try:
            if args.action == "add":
                return _add(args, at, desk)
            return _list(args, desk) if args.action == "list" else _end(args, desk)
        except NotKept as why:
            raise UsageError(str(why)) from why


def _caller() -> Caller:
    return Caller(on_command_line()[:64], "admin", EVERYTHING, way="token")


def _add(args: argparse.Namespace, at: Desk, desk: SilenceDesk) -> int:
    try:
        words: Words = tuple(read_matcher(text) for text in args.matchers)
    except BadMatcher as why:
        raise UsageError(f"{why}: expected such as alertname=DiskFull or 'site=~\"abuja|lima\"'") from why
    try:
        lasts = timedelta(milliseconds=read_duration_ms(args.lasts))
    except ValueError as why:
        raise UsageError(f"--for {args.lasts!r}: expected a duration such as 30m, 2h, 3d") from why
    signals, incidents = _held(at, words)
    print(f"Holds back {signals} signals of {incidents} open incidents now.")
    if args.dry_run:
        return 0
    now = desk.now()
    kept = desk.keep(_caller(), words, now, now + lasts, args.reason)
    print(f"Silence {kept.id} until {kept.ends_at:%Y-%m-%d %H:%M} UTC.")
    return 0


def _held(at: Desk, words: Words) -> tuple[int, int]:
    """(signals that hold and would be silent, incidents they are of)"""
    wanted, fleet = tuple(matcher(*word) for word in words), at.registry.fleet
    counts = []
    with at.store.reading() as connection:
        for incident in list_incidents(connection, EVERYTHING, states=OPEN, limit=MOST_OPEN):
            held = [one for one in signals_of(connection, incident.number) if one.ended_at is None]
            counts.append(sum(accept(wanted, labels_of(incident, one, fleet)) for one in held))
    return sum(counts), sum(count > 0 for count in counts)


def _list(args: argparse.Namespace, desk: SilenceDesk) -> int:
    now: datetime = desk.now()
    found = [one for one in desk.listed(EVERYTHING, now) if args.all or one.state(now) != EXPIRED]
    rows = [
        {
            "id": one.id,
            "state": one.state(now),
            "matchers": " ".join(f"{label}{operator}{value!r}" for label, operator, value in one.words),
            "ends_at": one.ends_at,
            "by": one.created_by,
            "reason": one.comment,
        }
        for one in sorted(found, key=lambda one: one.ends_at)
    ]
    print_rows(rows, args.json, empty="No silences.")
    return 0


def _end(args: argparse.Namespace, desk: SilenceDesk) -> int:
    known = [one.id for one in desk.listed(EVERYTHING, desk.now()) if one.id.startswith(args.name)]
    if len(known) != 1:
        raise UsageError(f"{args.name!r}: {len(known)} silences begin so; see: bongsu silence list")
    desk.end(_caller(), known[0])
    print(f"Silence {known[0]} is over.")
    return 0
