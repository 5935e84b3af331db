"""What rosters say, as tables a person could have written by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from collector.fleet.paths import SiteCalendar
from collector.rosters.asked import next_change
from collector.rosters.duty import answer, called, holes, on_duty
from collector.rosters.patterns import ALSO_CALLED, PATTERNS
from collector.rosters.roster import CYCLE, SUN, TURNS, Ground, Layer, Membership, Override, Roster, Slot
from collector.rosters.shifts import shifts

SEOUL = ZoneInfo("Asia/Seoul")
START = date(2026, 1, 5)  # a Monday
FOUR = (("가",), ("나",), ("다",), ("라",))


def roster(*layers: Layer, zone: str = "Asia/Seoul", calendar: str = "", cover: str = "always") -> Roster:
    return Roster("r", "", "", "", (), (), zone, calendar, cover, ("대기",), layers)


def at(text: str, zone: str = "Asia/Seoul") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def who(made: Roster, when: datetime, ground: Ground | None = None) -> str:
    return " ".join(person for duty in on_duty(made, ground or Ground(), when) for person in duty.people)


def of_pattern(name: str, crews: tuple[tuple[str, ...], ...]) -> Roster:
    pattern = PATTERNS[name]
    slots = tuple(Slot(letter, *map(time.fromisoformat, hours.split("-"))) for letter, hours in pattern.slots.items())
    return roster(Layer("main", CYCLE, crews, START, slots=slots, cycle=pattern.cycle, step_days=pattern.step_days))


@pytest.mark.parametrize(
    ("name", "hours", "days"),
    [
        # Who has each shift from Monday 5 January on, day by day.
        ("4x2", ("12:00", "22:00"), ["가라", "가라", "나가", "나가", "다나", "다나", "라다", "라다", "가라", "가라"]),
        ("4x2-short", ("12:00", "22:00"), ["가라", "나가", "다나", "라다", "가라", "나가"]),
        ("4x3", ("09:00", "17:00", "23:30"), ["가라다", "가라다", "나가라", "나가라", "다나가", "다나가", "라다나"]),
        ("3x3", ("09:00", "17:00", "23:30"), ["가다나"] * 7 + ["나가다"] * 7 + ["다나가"] * 7 + ["가다나"]),
        ("3x2", ("12:00", "22:00"), ["가다", "나가", "다나", "가다"]),
    ],
)
def test_korean_shift_work(name: str, hours: tuple[str, ...], days: list[str]) -> None:
    made = of_pattern(name, FOUR[: PATTERNS[name].crews])
    found = []
    for number in range(len(days)):
        day = START + timedelta(days=number)
        found.append("".join(who(made, at(f"{day}T{hour}")) for hour in hours))
    assert found == days
    assert holes(made, Ground(), at("2026-01-06T09:00"), at("2026-03-01T00:00")) == []


def test_every_pattern_fills_its_cycle_and_has_its_korean_name() -> None:
    for name, pattern in PATTERNS.items():
        assert pattern.crews * pattern.step_days == len(pattern.cycle), name
        assert set(pattern.cycle) - {"-"} == set(pattern.slots), name
    assert set(ALSO_CALLED.values()) == set(PATTERNS)


HOME = SiteCalendar("KR", closures=("2026-01-14",))
GROUND = Ground({"seoul": "Asia/Seoul"}, {"seoul": HOME})


def day_and_home() -> Roster:
    day = Layer("day", TURNS, (("낮",),), START, turn_hours=168, hours="office")
    home = Layer("home", TURNS, (("집1",), ("집2",)), START, hours="outside")
    return roster(day, home, calendar="seoul")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-01-05T09:00", "낮"),
        ("2026-01-05T17:59", "낮"),
        ("2026-01-05T18:00", "집1"),  # home duty
        ("2026-01-06T08:59", "집1"),
        ("2026-01-06T09:00", "낮"),
        ("2026-01-06T20:00", "집2"),
        ("2026-01-10T12:00", "집2"),  # a Saturday
        ("2026-01-11T12:00", "집1"),
        ("2026-01-14T12:00", "집2"),  # closed by hand
        ("2026-02-17T12:00", "집2"),  # Korean New Year
    ],
)
def test_day_and_home_duty(when: str, expected: str) -> None:
    assert who(day_and_home(), at(when), GROUND) == expected


def test_a_day_off_besides_the_calendar() -> None:
    made = replace(day_and_home(), days_off=frozenset({date(2026, 1, 7)}))
    assert who(made, at("2026-01-07T12:00"), GROUND) == "집1"
    assert holes(made, GROUND, at("2026-01-05T09:00"), at("2026-02-20T00:00")) == []


def test_turns_of_three_days_and_only_nights() -> None:
    made = roster(Layer("n", TURNS, FOUR, START, turn_hours=72, hours="18:00-09:00", days=(0, 1, 2, 3, 4)))
    assert [who(made, at(f"2026-01-{day:02}T23:00")) for day in range(5, 13)] == [
        "가",
        "가",
        "가",
        "나",
        "나",
        "",
        "",
        "다",
    ]
    assert who(made, at("2026-01-10T08:59")) == "나", "Friday's night ends on Saturday"
    assert who(made, at("2026-01-05T12:00")) == ""


def test_joining_and_leaving_move_nobody_else() -> None:
    layer = Layer("main", TURNS, FOUR, START)
    before = roster(layer)
    joined = replace(
        before,
        members=(Membership("라", date(2026, 1, 13), None), Membership("나", None, date(2026, 1, 15))),
    )
    days = [f"2026-01-{day:02}T12:00" for day in range(5, 23)]
    assert "".join(who(before, at(day)) for day in days) == "가나다라" * 4 + "가나"
    # 라 begins on the 13th, 나 has left by the 15th; whoever is next is next.
    assert "".join(who(joined, at(day)) for day in days) == "가나다가나다가나" + "다라" + "가다라가다라가다"
    alone = replace(before, members=tuple(Membership(each, None, date(2026, 1, 8)) for (each,) in FOUR))
    assert who(alone, at("2026-01-09T12:00")) == ""
    assert holes(alone, Ground(), at("2026-01-05T09:00"), at("2026-01-10T09:00")) == [
        (at("2026-01-08T09:00"), at("2026-01-10T09:00"))
    ]


def test_a_layer_ends_where_the_next_begins() -> None:
    old = Layer("old", TURNS, FOUR[:2], START, ends=date(2026, 1, 8), turn_hours=168)
    new = Layer("new", TURNS, FOUR[2:], date(2026, 1, 8))
    made = roster(old, new)
    assert [who(made, at(f"2026-01-{day:02}T12:00")) for day in (7, 8, 9)] == ["가", "다", "라"]
    assert holes(made, Ground(), at("2026-01-05T09:00"), at("2026-02-01T00:00")) == []
    assert who(made, at("2026-01-08T08:59")) == "가"


def changed(*overrides: Override) -> Roster:
    return replace(roster(Layer("main", TURNS, (("가", "나"), ("다",)), START)), overrides=overrides)


def test_substitution_absence_and_somebody_more() -> None:
    noon, three = at("2026-01-05T12:00"), at("2026-01-05T15:00")
    swapped = changed(Override(1, "", "가", "라", noon, three))
    hours = ("11:59", "12:00", "14:59", "15:00")
    assert [who(swapped, at(f"2026-01-05T{h}")) for h in hours] == ["가 나", "라 나", "라 나", "가 나"]
    absent = changed(Override(1, "main", "가", "", noon, three))
    assert [who(absent, at(f"2026-01-05T{h}")) for h in hours] == ["가 나", "나", "나", "가 나"]
    more = changed(Override(1, "", "", "라", noon, three))
    assert [who(more, at(f"2026-01-05T{h}")) for h in hours] == ["가 나", "가 나 라", "가 나 라", "가 나"]
    already = changed(Override(1, "", "가", "나", noon, three))
    assert who(already, noon) == "나", "nobody is on duty twice"
    other = changed(Override(1, "other", "가", "라", noon, three), Override(2, "", "다", "라", noon, three))
    assert who(other, noon) == "가 나"


def test_an_absence_without_a_substitute_is_a_hole() -> None:
    made = changed(Override(1, "", "다", "", at("2026-01-06T20:00"), at("2026-01-08T00:00")))
    assert holes(made, Ground(), at("2026-01-05T00:00"), at("2026-01-10T00:00")) == [
        (at("2026-01-06T20:00"), at("2026-01-07T09:00"))
    ]
    now = answer(made, Ground(), at("2026-01-06T21:00"))
    assert (now.is_hole, now.people) == (True, ("대기",))
    before = answer(made, Ground(), at("2026-01-06T12:00"))
    assert (before.is_hole, before.people) == (False, ("다",))


# ---------------------------------------------------------------- the sun

WORLD = Ground(
    {"tokyo": "Asia/Tokyo", "frankfurt": "Europe/Berlin", "washington": "America/New_York"},
    {
        "tokyo": SiteCalendar("JP"),
        "frankfurt": SiteCalendar("DE", "HE"),
        "washington": SiteCalendar("US", business_hours="08:00-17:00"),
    },
)


def around(overtime: int = 0) -> Roster:
    sites = ("tokyo", "frankfurt", "washington")
    sun = Layer("sun", SUN, (("도쿄",), ("프푸",), ("워싱",)), START, sites=sites, overtime_minutes=overtime)
    return roster(sun, Layer("home", TURNS, (("집",),), START, turn_hours=168), zone="UTC")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-03-04T00:00", "도쿄 집"),  # 09:00 there
        ("2026-03-04T07:59", "도쿄 집"),
        ("2026-03-04T08:00", "프푸 집"),  # it opened last
        ("2026-03-04T12:59", "프푸 집"),
        ("2026-03-04T13:00", "워싱 집"),  # 08:00 in Washington's winter
        ("2026-03-10T12:00", "워싱 집"),  # and in its summer, while Europe still has winter
        ("2026-03-10T11:59", "프푸 집"),
        ("2026-03-31T07:00", "프푸 집"),  # Europe's summer
        ("2026-03-04T22:00", "집"),  # everyone has closed
        ("2026-03-07T12:00", "집"),  # a Saturday
        ("2026-04-03T09:00", "집"),  # Good Friday in Frankfurt, and Tokyo has closed at 09:00
        ("2026-04-03T08:59", "도쿄 집"),
    ],
)
def test_following_the_sun(when: str, expected: str) -> None:
    assert who(around(), at(when, "UTC"), WORLD) == expected


def test_overtime_bridges_until_the_next_site_opens() -> None:
    made = around(120)
    assert who(made, at("2026-03-04T23:00", "UTC"), WORLD) == "워싱 집"
    assert who(made, at("2026-03-07T00:00", "UTC"), WORLD) == "집"
    for shift in shifts(made, WORLD, at("2026-03-01T00:00", "UTC"), at("2026-04-05T00:00", "UTC")):
        assert shift.began_at < shift.ended_at


# ---------------------------------------------------------------- who is called


def test_the_more_particular_roster_is_asked_first() -> None:
    layer = Layer("main", TURNS, (("가",),), START)
    everyone = roster(layer)
    joint = replace(everyone, id="joint", agencies=("one", "two"))
    own = replace(everyone, id="own", sites=("abuja",))
    other = replace(everyone, id="other", agencies=("three",))
    asked = called([everyone, joint, own, other], Ground(), "abuja", "two", at("2026-01-06T12:00"))
    assert [each.roster.id for each in asked] == ["own", "joint", "r"]
    assert called([other], Ground(), "abuja", "two", at("2026-01-06T12:00")) == []


def test_only_office_hours_must_be_covered() -> None:
    made = roster(Layer("day", TURNS, (("낮",),), START, hours="10:00-18:00"), calendar="seoul", cover="office")
    found = holes(made, GROUND, at("2026-01-05T00:00"), at("2026-01-07T00:00"))
    assert found == [(at(f"2026-01-0{day}T09:00"), at(f"2026-01-0{day}T10:00")) for day in (5, 6)]
    assert holes(replace(made, cover="never"), GROUND, at("2026-01-05T00:00"), at("2026-01-07T00:00")) == []
    assert not answer(made, GROUND, at("2026-01-06T03:00")).is_hole


def test_what_was_not_looked_at_is_not_nobody() -> None:
    """A watch of one person goes on after the week that is looked ahead; two take turns within it."""
    alone, two = (Layer("main", TURNS, crews, START, turn_hours=168) for crews in ((("가",),), (("가",), ("나",))))
    assert next_change(roster(alone), Ground(), at("2026-01-07T03:00")) == (None, ())
    assert next_change(roster(two), Ground(), at("2026-01-07T03:00")) == (at("2026-01-12T09:00"), ("나",))
