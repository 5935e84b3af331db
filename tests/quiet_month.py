"""Thirty quiet days in ten windows of three, each in a world that begins anew; at the end of each one thing that matters.

From 10 October 2026 to 9 November: clocks go back in Europe and Beirut on 25 October, in Cairo on the 30th, in North
America on 1 November. A window ends at 14:00 UTC, when it is night in Korea and day in Europe and America. Windows depend on nothing but their number, so they may be played in any order and side by side.

    python tests/quiet_month.py --windows 0-9 --jobs 2
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from paged_demo import Call, paged_demo  # noqa: E402 -- after the path
from quiet_days import DAY, HOUR, LEAD, MINUTE, TEMPO, QuietDays  # noqa: E402

from collector.incidents.incident import Incident  # noqa: E402
from collector.incidents.queries import list_incidents  # noqa: E402
from collector.store.scope import EVERYTHING  # noqa: E402
from collector.world.demo.demo import Demo, hub_url  # noqa: E402

FIRST = datetime(2026, 10, 10, 14, tzinfo=UTC)
WINDOWS, DAYS = 10, 3
AFTER = 5 * MINUTE
"""From a fault on; after as long again, with nobody answering, the next one is called too."""
TELL = 6 * HOUR


class Fault(NamedTuple):
    """``plant`` makes it happen. ``key``: of the one incident it must be; ``person``: who must be called, once, and nobody else."""

    name: str
    plant: Callable[[Demo], None]
    key: str
    severity: str
    person: str


class Played(NamedTuple):
    """``quiet``: who was called in the quiet days, where it should be nobody; ``loud``: for the fault at the end."""

    number: int
    fault: str
    quiet: list[str]
    loud: list[str]
    wrong: list[str]
    """In words, of both."""
    incidents: list[str]
    """Of the quiet days, in words; they may be there, calling nobody."""
    happened: Counter[str]
    hours: float
    seconds: float
    """Of a processor."""


def play_window(
    number: int,
    days: float = DAYS,
    tell: Callable[[str], None] = lambda _text: None,
    person: str = "",
) -> Played:
    """``person``: who must be called for the fault, where it is another day than the window's last."""
    began = FIRST + timedelta(days=DAYS * number)
    before, started = logging.root.manager.disable, time.process_time()
    logging.disable(logging.CRITICAL)  # the troubles are meant
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bongsu-quiet-") as folder,
            paged_demo(Path(folder), began, seed=7 + number, is_thin=True, tempo=TEMPO) as (demo, gateway),
        ):
            shown = 0
            planned = QuietDays(demo, number, days)
            while demo.timeline.now < days * DAY:
                demo.play(min(TELL, days * DAY - demo.timeline.now))
                at, spent = began + timedelta(seconds=demo.timeline.now), time.process_time() - started
                for call in gateway.calls[shown:]:
                    tell(f"window {number}: called: {_words(call)}")
                shown = len(gateway.calls)
                tell(f"window {number}: {at:%d %b %H:%M} UTC, {len(gateway.calls)} pages, {spent:.0f} s of a processor")
            quiet, incidents = list(gateway.calls), incidents_of(demo)
            fault = FAULTS[number]
            fault = fault._replace(person=person or fault.person)
            demo.stir(LEAD + AFTER + HOUR)
            demo.play(LEAD)
            fault.plant(demo)
            demo.play(AFTER)
            new = [one for one in incidents_of(demo) if one.number > max((old.number for old in incidents), default=0)]
            loud = gateway.calls[len(quiet) :]
            wrong = [f"quiet, and called: {_words(call)}" for call in quiet] + complaints(fault, new, loud)
            spent = time.process_time() - started
            return Played(
                number, fault.name, [_words(call) for call in quiet], [_words(call) for call in loud], wrong,
                [told(one) for one in incidents], planned.happened, demo.timeline.now / HOUR, spent,
            )  # fmt: skip
    finally:
        logging.disable(before)


def complaints(fault: Fault, new: list[Incident], loud: list[Call]) -> list[str]:
    """What is wrong with how a fault was told."""
    found = [f"{fault.name}: opened {told(one)}" for one in new if one.key != fault.key and one.paged_at is not None]
    meant = [one for one in new if one.key == fault.key]
    if [one.severity for one in meant] != [fault.severity]:
        found.append(f"{fault.name}: expected one incident {fault.key} {fault.severity}, found {[*map(told, meant)]}")
    called = Counter(call.person for call in loud if call.incident in {one.number for one in meant})
    if called != {fault.person: 1} or len(loud) > 1:
        found.append(f"{fault.name}: expected one call, to {fault.person}, found {[*map(_words, loud)]}")
    return found


def incidents_of(demo: Demo) -> list[Incident]:
    app = demo.centre.app
    assert app is not None
    with app.store.reading() as connection:
        return list_incidents(connection, EVERYTHING, limit=1_000)


def told(one: Incident) -> str:
    return f"#{one.number} {one.key} {one.severity} {one.reason} {one.state} {one.occurred_at:%d %b %H:%M:%S}"


def _words(call: Call) -> str:
    at = f"{call.at / HOUR:.2f} h"
    return f"{at} {call.person} {call.channel} {call.kind} #{call.incident} {' | '.join(call.text.splitlines())[:200]}"


def _cut(*links: str) -> Callable[[Demo], None]:
    return lambda demo: demo.condition.cut_links.update(links)


def _fail(host: str, check: str) -> Callable[[Demo], None]:
    return lambda demo: demo.condition.failing.__setitem__((host, check), (2, "not running"))


def _kill(*hosts: str) -> Callable[[Demo], None]:
    return lambda demo: demo.condition.dead_hosts.update(hosts)


def _dark(site: str) -> Callable[[Demo], None]:
    return lambda demo: demo.condition.dark_sites.__setitem__(site, (demo.timeline.now, 2 * HOUR))


FAULTS = (
    Fault("the only line of Tashkent is cut", _cut("tashkent/main"), "link:tashkent/main", "warning", "weber"),
    Fault("the hub in Dubai is gone", lambda demo: demo.stations[hub_url("mea")].end(), "hub:mea", "critical", "lee"),
    Fault("a service in London does not run", _fail("srv1.london", "process:smbd"), "host:srv1.london", "critical",
          "weber"),
    Fault("both lines of Frankfurt are cut", _cut("frankfurt/main", "frankfurt/backup"), "hub:eur-cis", "critical", "kim"),
    Fault("large packets are lost in Gwangju", lambda demo: demo.condition.narrow_links.add("dc-gwj/main"),
          "link:dc-gwj/main", "critical", "lee"),
    Fault("the only server of Cairo is off", _kill("srv1.cairo"), "site:cairo", "critical", "choi"),
    Fault("no mains in Abuja", _dark("abuja"), "site:abuja", "critical", "kim"),
    Fault("the database of the joint login does not run", _fail("login-db1.dc-djn", "process:postgres"),
          "host:login-db1.dc-djn", "critical", "park"),
    Fault("the main line of Washington is cut", _cut("washington/main"), "link:washington/main", "warning", "smith"),
    Fault("the only line of Beirut is cut", _cut("beirut/main"), "link:beirut/main", "warning", "lee"),
)  # fmt: skip
"""At 14:04 UTC in Korea it is night, whose crew goes round in eight days: choi on 13 October, then every third day lee,
park, kim, lee, choi, kim, park, choi, lee. A mission's own team has office hours on a working day in Frankfurt and in
Washington, and none in Dubai any more, nor on Sunday 25 and Saturday 31 October."""


def _one(number: int) -> Played:
    return play_window(number, tell=lambda text: print(text, flush=True))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--windows", default=f"0-{WINDOWS - 1}", metavar="FROM-TO", help=f"which (0-{WINDOWS - 1})")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one a processor)")
    args = parser.parse_args()
    first, _, last = args.windows.partition("-")
    played: list[Played] = []
    with multiprocessing.get_context("spawn").Pool(args.jobs, maxtasksperchild=1) as pool:
        for one in pool.imap_unordered(_one, range(int(first), int(last or first) + 1)):
            played.append(one)
            print(_summary(one), flush=True)
    happened: Counter[str] = sum((one.happened for one in played), Counter())
    print(
        f"{len(played) * DAYS} days, {len(played)} faults: {sum(len(one.quiet) for one in played)} pages in the quiet, "
        f"{sum(len(one.incidents) for one in played)} incidents that called nobody, "
        f"{sum(len(one.loud) for one in played)} pages for the faults, {sum(len(one.wrong) for one in played)} things wrong; "
        f"{sum(one.seconds for one in played):.0f} s of a processor for {sum(one.hours for one in played):.0f} h\n"
        + ", ".join(f"{count} {kind}" for kind, count in sorted(happened.items()))
    )
    return 1 if any(one.wrong for one in played) else 0


def _summary(one: Played) -> str:
    return "\n  ".join(
        [
            f"window {one.number} done, {one.seconds:.0f} s: {dict(one.happened)}",
            *(f"incident {text}" for text in one.incidents),
            *(f"{one.fault}: {text}" for text in one.loud),
            *(f"WRONG {text}" for text in one.wrong),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
