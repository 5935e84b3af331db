"""``bongsu who SITE``: who would be called for a site, now or at another time, and who is on duty for it."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from zoneinfo import ZoneInfo

from agent.link.clock import SystemClock
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import table
from collector.errors import UsageError, nearest
from collector.fleet.registry import Registry, Site
from collector.pages.page import CRITICAL, INFO, WARNING
from collector.pages.who import Call, Who, turn_rows
from collector.pages.who_queries import ask_who
from collector.people.queries import Book
from collector.rosters.answer import answer_rows
from collector.rosters.instants import read_instant
from collector.store.schema import instant

NO_ROSTER = "no roster is for this site"
TURNS = ("after", "person", "name", "because", "contact", "")
DUTIES = ("on duty", "name", "roster", "layer", "until", "")
BROKEN = {CRITICAL: "something critical breaks", WARNING: "there is a warning", INFO: "something is worth knowing"}
BECAUSE = {
    "on_duty": "on duty",
    "fallback": "fallback",
    "named": "named by the step",
    "team": "called in",
    "other": "awake",
}


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs, "who", "say who would be called for a site", "bongsu who abuja --at 2026-11-22T03:00+09:00", json=True
    )
    parser.add_argument("site", metavar="SITE", help="the site's id")
    parser.add_argument("--at", metavar="TIME", help="with an offset, or by the site's own clock (default: now)")
    parser.add_argument(
        "--severity", choices=tuple(BROKEN), default=CRITICAL, help="of what breaks (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    with opened(args) as (settings, store):
        registry = Registry(store)
        registry.refresh()
        fleet = registry.fleet
        site = fleet.sites.get(args.site)
        if site is None:
            raise UsageError(f"site {args.site!r}: no such site; {nearest(args.site, list(fleet.sites))}")
        at = read_instant(args.at, site.timezone) if args.at else instant(SystemClock().wall_ms())
        with store.reading() as connection:
            found, book = ask_who(connection, fleet, settings.channels, site, at, args.severity)
    if args.json:
        body = {
            "site": site.id,
            "at": at.isoformat(),
            "timezone": site.timezone,
            "severity": found.severity,
            "policy": found.policy.id,
            "repeat_seconds": found.policy.repeat_seconds,
            "turns": turn_rows(found, book.people, lambda _: True),
            "rosters": answer_rows(found.called, book.people, at, lambda _: True),
        }
        print(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        _print(found, book, site)
    return 0 if found.reached else 1


def _print(found: Who, book: Book, site: Site) -> None:
    here = found.at.astimezone(ZoneInfo(site.timezone))
    print(f"{site.id} at {here:%Y-%m-%d %H:%M} {site.timezone} ({found.at:%Y-%m-%d %H:%M} UTC)")
    for each in found.called:
        if each.is_hole:
            print(
                f"NOBODY IS ON DUTY in roster {each.roster.id}" + ("" if each.roster.fallback else ", and no fallback")
            )
    lines = [
        line
        for turn in found.turns
        for line in _turn(turn.after_seconds, turn.calls, turn.is_one_of, book, site.timezone)
    ]
    if lines:
        print(f"Called by policy {found.policy.id}, if {BROKEN[found.severity]} and nobody answers:")
        print(table([TURNS, *lines]))
        if found.policy.repeat_seconds:
            print(f"then the last again every {_minutes(found.policy.repeat_seconds)}")
    if not found.policy.steps:
        print(f"Nobody would be called: policy {found.policy.id} has no steps.")
    elif not found.reached:
        why = "nobody of them can be reached" if lines else "no step has anybody" if found.called else NO_ROSTER
        print(f"Nobody would be called: {why}.")
    duties = _duties(found, book, site.timezone)
    if duties:
        print(table([DUTIES, *duties]))
    if found.fallback:
        print(f"fallback, called only where nobody is on duty or a step says so: {', '.join(found.fallback)}")


def _turn(after_seconds: int, calls: tuple[Call, ...], is_one_of: bool, book: Book, zone: str) -> list[tuple[str, ...]]:
    lines: list[tuple[str, ...]] = []
    for call in calls:
        known = book.people.get(call.person)
        contacts = known.contacts if known else ()
        reached = [f"{one.channel} {one.address}" for one in contacts if one.channel in call.channels]
        lines.append(
            (
                _minutes(after_seconds) if after_seconds else "at once",
                call.person,
                _name(call.person, book),
                BECAUSE.get(call.why, call.why) + (f" with team {call.team}" if call.team else ""),
                ", ".join(reached) or "-",
                _remark(call, is_one_of, zone),
            )
        )
    return lines


def _remark(call: Call, is_one_of: bool, zone: str) -> str:
    if call.trouble:
        return f"CANNOT BE REACHED: {call.trouble}"
    if call.waits_until is not None:
        return f"sleeps: told at {call.waits_until.astimezone(ZoneInfo(zone)):%m-%d %H:%M}"
    return "one of these, in turn" if is_one_of else ""


def _duties(found: Who, book: Book, zone: str) -> list[tuple[str, ...]]:
    return [
        (
            person["id"],
            _name(person["id"], book),
            row["roster"],
            person["layer"],
            f"{datetime.fromisoformat(person['until']).astimezone(ZoneInfo(zone)):%m-%d %H:%M}",
            "quiet hours: woken by what is critical alone" if person["is_quiet"] else "",
        )
        for row in answer_rows(found.called, book.people, found.at, lambda _: True)
        for person in row["on_duty"]
    ]


def _name(person: str, book: Book) -> str:
    known = book.people.get(person)
    return (known.name_en or known.name_ko) if known else "-"


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
