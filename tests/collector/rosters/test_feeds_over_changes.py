"""A calendar that somebody subscribes to, read back by ``icalendar`` over every zone of the demonstration and every change of
its clocks from 2024 to 2035: minute by minute it names whoever the rule names, told on the clock on the wall.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from test_every_change_of_clocks import RULES, ZONES, Intended, changes, roster

from collector.people.queries import Book
from collector.rosters.calendar_feed import feed
from collector.rosters.feed_api import content
from collector.rosters.queries import Feed
from collector.rosters.roster import Ground
from collector.rosters.shifts import shifts

AROUND, DAY = timedelta(days=2), timedelta(days=1)
MINUTE = timedelta(minutes=1)


@cache
def walls(zone: str, change: datetime) -> list[tuple[datetime, datetime]]:
    """For each minute around a change, the wall time before the earliest still to come and the latest shown so far: the
    same but around an hour that is shown twice."""
    place, count = ZoneInfo(zone), round(2 * AROUND / MINUTE)
    shown = [(change - AROUND + at * MINUTE).astimezone(place).replace(tzinfo=None) for at in range(count)]
    latest, earliest = list(shown), list(shown)
    for at in range(1, count):
        latest[at] = max(latest[at], latest[at - 1])
    earliest[-1] = shown[-1] + MINUTE
    for at in reversed(range(count - 1)):
        earliest[at] = min(shown[at + 1], earliest[at + 1])
    return [(min(low - MINUTE, high), high) for low, high in zip(earliest, latest, strict=True)]


def read(text: bytes, change: datetime) -> list[set[str]]:
    """Who is on duty in each minute around a change, as a calendar program reads it."""
    found: list[set[str]] = [set() for _ in range(round(2 * AROUND / MINUTE))]
    start = change - AROUND
    for event in Calendar.from_ical(text).walk("VEVENT"):
        first = max(0, round((event.decoded("dtstart") - start) / MINUTE))
        for at in range(first, min(len(found), round((event.decoded("dtend") - start) / MINUTE))):
            found[at].add(str(event["summary"]).partition(" · ")[0])
    return found


def wanted(zone: str, change: datetime, intended: Intended) -> list[set[str]]:
    """The same by the words of the rule."""
    found = []
    for low, high in walls(zone, change):
        there = {intended(high)}
        while low < high:
            there.add(intended(low))
            low += MINUTE
        found.append(there)
    return found


@pytest.mark.parametrize("zone", ["America/Santiago", "Africa/Cairo"])
def test_a_feed_names_the_right_people_around_a_change(zone: str) -> None:
    for change in changes(zone, 2026, 2026):
        for name in ("4x2", "day and home"):
            made, there = roster(RULES[name][0], zone), wanted(zone, change, RULES[name][1])
            for kind, subject in (("roster", "r"), ("person", "p0")):
                text = content(Feed(1, kind, subject, "en"), [made], Book({}, {}), Ground(), change)
                told = there if kind == "roster" else [each & {subject} for each in there]
                assert read(text, change) == told, (zone, name, kind, change)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_feeds_over_every_change_of_twelve_years(zone: str) -> None:
    for change in changes(zone, 2024, 2035):
        span = (change - AROUND - DAY, change + AROUND + DAY)
        for name, (layers, intended) in RULES.items():
            made = roster(layers, zone)
            text = feed("", [(made, shift) for shift in shifts(made, Ground(), *span)], [], {}, "en", change)
            there = read(text, change)
            told = wanted(zone, change, intended)
            assert there == told, (zone, name, next(at for at, who in enumerate(told) if there[at] != who), change)
