"""Rosters over every zone of the demonstration and every change of its clocks, 2024 to 2035.

What is intended is told here without looking at how it is built: a shift of wall time ``[began, ended)`` is on at an
instant when a clock on the wall has ever reached ``began`` and has yet to show ``ended`` or earlier. So with ``latest`` =
the latest wall time shown so far and ``earliest`` = the earliest still to come, exactly the shifts that begin by ``latest``
and end at ``earliest`` or later are on: one of them, and two only around an hour that is shown twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from collector.fleet.paths import SiteCalendar
from collector.rosters.duty import holes, on_duty
from collector.rosters.patterns import PATTERNS
from collector.rosters.roster import ALWAYS, CYCLE, SUN, TURNS, Ground, Layer, Roster, Slot
from collector.rosters.shifts import shifts

ZONES = (
    "Asia/Seoul", "Asia/Singapore", "Asia/Tokyo", "Asia/Shanghai", "Asia/Ho_Chi_Minh", "Asia/Kolkata",
    "Pacific/Port_Moresby", "America/New_York", "America/Los_Angeles", "America/Toronto", "America/Mexico_City",
    "America/Sao_Paulo", "America/Santiago", "America/Lima", "Europe/Berlin", "Europe/London", "Europe/Warsaw",
    "Asia/Tashkent", "Asia/Dubai", "Africa/Cairo", "Africa/Nairobi", "Africa/Lagos", "Africa/Kinshasa", "Asia/Beirut",
)  # fmt: skip
HOUR = timedelta(hours=1)
STARTS = date(2024, 1, 1)
Intended = Callable[[datetime], str]
"""Wall time -> the person who is on duty then, by the words of the rule alone."""


@cache
def changes(zone: str, first: int, last: int) -> list[datetime]:
    """Instants at which the zone's offset changes; where it never does, one ordinary midnight."""
    place = ZoneInfo(zone)
    found = []
    at, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    while at < end:
        if at.astimezone(place).utcoffset() != (at + 120 * HOUR).astimezone(place).utcoffset():
            step = at
            while step.astimezone(place).utcoffset() == at.astimezone(place).utcoffset():
                step += timedelta(minutes=30)
            found.append(step)
        at += 120 * HOUR
    return found or [datetime(first, 3, 1, tzinfo=UTC)]


def roster(layers: tuple[Layer, ...], zone: str) -> Roster:
    return Roster("r", "", "", "", (), (), zone, "", ALWAYS, (), layers)


def turns(handover: str, hours: int, count: int) -> tuple[tuple[Layer, ...], Intended]:
    crews = tuple((f"p{at}",) for at in range(count))
    began = datetime.combine(STARTS, time.fromisoformat(handover))

    def intended(wall: datetime) -> str:
        return f"p{int((wall - began).total_seconds() // 3600 // hours) % count}"

    return (Layer("main", TURNS, crews, STARTS, handover=began.time(), turn_hours=hours),), intended


def day_and_home() -> tuple[tuple[Layer, ...], Intended]:
    """Office hours of Monday to Friday, and home duty by turns of a day for all the rest."""
    day = Layer("day", TURNS, (("day",),), STARTS, turn_hours=168, hours="office")
    home = Layer("home", TURNS, (("p0",), ("p1",)), STARTS, hours="outside")

    def intended(wall: datetime) -> str:
        if wall.weekday() < 5 and 9 <= wall.hour < 18:
            return "day"
        return f"p{((wall - timedelta(hours=9)).date() - STARTS).days % 2}"

    return (day, home), intended


def cycle(name: str) -> tuple[tuple[Layer, ...], Intended]:
    pattern = PATTERNS[name]
    slots = tuple(Slot(letter, *map(time.fromisoformat, hours.split("-"))) for letter, hours in pattern.slots.items())
    crews = tuple((f"p{at}",) for at in range(pattern.crews))

    def intended(wall: datetime) -> str:
        for slot in slots:
            length = (datetime.combine(STARTS, slot.ended) - datetime.combine(STARTS, slot.began)) % timedelta(days=1)
            for day in (wall.date(), wall.date() - timedelta(days=1)):
                began = datetime.combine(day, slot.began)
                if began <= wall < began + length:
                    (who,) = [
                        at
                        for at in range(pattern.crews)
                        if pattern.cycle[((day - STARTS).days - at * pattern.step_days) % len(pattern.cycle)]
                        == slot.letter
                    ]
                    return f"p{who}"
        raise AssertionError(f"{name}: nobody at {wall}")

    layer = Layer("main", CYCLE, crews, STARTS, slots=slots, cycle=pattern.cycle, step_days=pattern.step_days)
    return (layer,), intended


RULES: dict[str, tuple[tuple[Layer, ...], Intended]] = {
    **{f"daily at {at}": turns(at, 24, 3) for at in ("00:00", "00:30", "01:00", "01:30", "02:00", "02:30", "03:00")},
    "weekly": turns("09:00", 168, 4),
    "eight hours": turns("00:30", 8, 3),
    "one hour": turns("00:00", 1, 5),
    "thirty-six hours": turns("02:15", 36, 3),
    "day and home": day_and_home(),
    **{name: cycle(name) for name in PATTERNS},
}


def check(zone: str, change: datetime, name: str, around: timedelta, step: timedelta) -> None:
    layers, intended = RULES[name]
    made, ground = roster(layers, zone), Ground()
    place = ZoneInfo(zone)
    instants = []
    at = change - around
    while at < change + around:
        instants.append(at)
        at += step
    walls = [at.astimezone(place).replace(tzinfo=None) for at in instants]
    latest, earliest = list(walls), [*walls[1:], walls[-1] + step]
    for at in range(1, len(walls)):
        latest[at] = max(latest[at], latest[at - 1])
        earliest[-at - 1] = min(earliest[-at - 1], earliest[-at])
    found = shifts(made, ground, instants[0], instants[-1])
    for at, instant in enumerate(instants):
        there = {person for s in found if s.began_at <= instant < s.ended_at for person in s.people}
        high = latest[at]
        low = min(earliest[at] - step, high)
        wanted = {intended(low), intended(high)}
        between = low + step
        while between < high:
            wanted.add(intended(between))
            between += step
        assert there == wanted, (zone, name, instant, walls[at])
        assert high - low <= HOUR, "two only around an hour that is shown twice"
    assert holes(made, ground, instants[0], instants[-1]) == []
    for instant in (change - step, change, change + step):  # the question of one instant has the same answer
        (duty,) = on_duty(made, ground, instant)
        assert set(duty.people) == {p for s in found if s.began_at <= instant < s.ended_at for p in s.people}


@pytest.mark.parametrize("zone", ZONES)
def test_exactly_the_intended_people_around_a_change(zone: str) -> None:
    """The changes of one year; all years and every minute in the long run."""
    for number, change in enumerate(changes(zone, 2026, 2026)):
        for place, name in enumerate(RULES):
            if (number + place) % 2 == 0 or name in ("one hour", "4x3"):
                check(zone, change, name, timedelta(hours=6), timedelta(minutes=15))


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", RULES)
def test_every_change_of_twelve_years(zone: str, name: str) -> None:
    for change in changes(zone, 2024, 2035):
        check(zone, change, name, timedelta(hours=30), timedelta(minutes=5))


def test_the_zones_do_change_their_clocks() -> None:
    counts = {zone: len(changes(zone, 2024, 2035)) for zone in ZONES}
    assert sum(count > 20 for count in counts.values()) == 9, counts


# ---------------------------------------------------------------- the sun

SITES = {"seoul": "Asia/Seoul", "cairo": "Africa/Cairo", "berlin": "Europe/Berlin", "santiago": "America/Santiago",
         "washington": "America/New_York"}  # fmt: skip
SUN_GROUND = Ground(SITES, {"cairo": SiteCalendar(weekend=("fri", "sat"))})


def sun_at(instant: datetime) -> set[str]:
    """Whoever came to the office last of those who sit in it now, by the clocks on their own walls."""
    came = {}
    for place, (site, zone) in enumerate(SITES.items()):
        wall = instant.astimezone(ZoneInfo(zone))
        if wall.weekday() not in ((4, 5) if site == "cairo" else (5, 6)) and 9 <= wall.hour < 18:
            came[site] = (timedelta(hours=wall.hour - 9, minutes=wall.minute), place)
    return {min(came, key=lambda site: came[site])} if came else {"home"}


def check_sun(change: datetime, around: timedelta) -> None:
    sun = Layer("sun", SUN, tuple((site,) for site in SITES), STARTS, sites=tuple(SITES))
    home = Layer("home", TURNS, (("home",),), STARTS, turn_hours=168)
    made = roster((sun, home), "UTC")
    found = shifts(made, SUN_GROUND, change - around, change + around)
    at = change - around
    while at < change + around:
        first = {p for s in found if s.layer == "sun" and s.began_at <= at < s.ended_at for p in s.people}
        assert (first or {"home"}) == sun_at(at), at
        at += timedelta(minutes=15)


def test_the_sun_over_the_changes_of_a_year() -> None:
    for zone in SITES.values():
        for change in changes(zone, 2026, 2026):
            check_sun(change, timedelta(days=1))


@pytest.mark.slow
def test_the_sun_over_the_changes_of_twelve_years() -> None:
    for zone in SITES.values():
        for change in changes(zone, 2024, 2035):
            check_sun(change, timedelta(days=8))
