"""``bongsu who SITE``: who would be called for a site, now or at another time."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agent.link.clock import SystemClock
from collector.cli.options import Verbs, opened, verb
from collector.cli.printing import table
from collector.errors import UsageError, nearest
from collector.fleet.registry import Registry
from collector.people.queries import Book, whole_book
from collector.rosters.answer import answer_rows
from collector.rosters.compile import ground_of
from collector.rosters.duty import called
from collector.rosters.instants import read_instant
from collector.rosters.queries import load_rosters
from collector.store.schema import instant

HEAD = ("order", "person", "name", "roster", "layer", "until", "contact", "")


def add(verbs: Verbs[argparse.ArgumentParser]) -> None:
    parser = verb(
        verbs, "who", "say who would be called for a site", "bongsu who abuja --at 2026-11-22T03:00+09:00", json=True
    )
    parser.add_argument("site", metavar="SITE", help="the site's id")
    parser.add_argument("--at", metavar="TIME", help="with an offset, or by the site's own clock (default: now)")


def run(args: argparse.Namespace) -> int:
    with opened(args) as (_, store):
        registry = Registry(store)
        registry.refresh()
        fleet = registry.fleet
        site = fleet.sites.get(args.site)
        if site is None:
            raise UsageError(f"site {args.site!r}: no such site; {nearest(args.site, list(fleet.sites))}")
        at = read_instant(args.at, site.timezone) if args.at else instant(SystemClock().wall_ms())
        with store.reading() as connection:
            rosters, book = load_rosters(connection), whole_book(connection)
    found = answer_rows(called(rosters, ground_of(fleet), site.id, site.agency, at), book.people, at, lambda _: True)
    if args.json:
        body = {"site": site.id, "at": at.isoformat(), "timezone": site.timezone, "rosters": found}
        print(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        _print(found, book, at, site.id, site.timezone)
    return 0 if any(roster["people"] for roster in found) else 1


def _print(found: list[dict[str, Any]], book: Book, at: datetime, site: str, zone: str) -> None:
    here = at.astimezone(ZoneInfo(zone))
    print(f"{site} at {here:%Y-%m-%d %H:%M} {zone} ({at:%Y-%m-%d %H:%M} UTC)")
    for roster in found:
        if roster["is_hole"]:
            print(f"NOBODY IS ON DUTY in roster {roster['roster']}" + ("" if roster["people"] else ", and no fallback"))
    lines: list[tuple[str, ...]] = []
    for roster in found:
        for person in roster["people"]:
            known = book.people.get(person["id"])
            until = person["until"]
            lines.append(
                (
                    str(len(lines) + 1),
                    person["id"],
                    (known.name_en or known.name_ko) if known else "-",
                    roster["roster"],
                    person["layer"] or "fallback",
                    f"{datetime.fromisoformat(until).astimezone(ZoneInfo(zone)):%m-%d %H:%M}" if until else "-",
                    f"{known.contacts[0].channel} {known.contacts[0].address}" if known and known.contacts else "-",
                    "quiet hours" if person["is_quiet"] else "",
                )
            )
    print(table([HEAD, *lines]) if lines else "Nobody would be called: no roster is for this site.")
