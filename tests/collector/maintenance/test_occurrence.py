"""Agreed work over changes of the clocks: tables for the known traps, a property for all the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.maintenance.occurrence import Repeat, Schedule, active_at, occurrences, span_on

NEW_YORK, SEOUL, CAIRO = "America/New_York", "Asia/Seoul", "Africa/Cairo"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "starts", "minutes", "began", "ended"),
    [
        (SEOUL, "2026-11-22T02:00", 120, "2026-11-21T17:00", "2026-11-21T19:00"),
        # the clocks jump from 02:00 to 03:00 on 2026-03-08: two hours on the wall are one
        (NEW_YORK, "2026-03-08T01:00", 180, "2026-03-08T06:00", "2026-03-08T08:00"),
        (NEW_YORK, "2026-03-08T02:30", 120, "2026-03-08T07:30", "2026-03-08T08:30"),
        (NEW_YORK, "2026-03-08T02:30", 30, "2026-03-08T07:30", "2026-03-08T08:00"),
        # they fall back from 02:00 to 01:00 on 2026-11-01: two hours on the wall are three
        (NEW_YORK, "2026-11-01T00:30", 60, "2026-11-01T04:30", "2026-11-01T06:30"),
        (NEW_YORK, "2026-11-01T01:30", 15, "2026-11-01T05:30", "2026-11-01T06:45"),
        (CAIRO, "2026-04-24T00:00", 120, "2026-04-23T22:00", "2026-04-23T23:00"),
    ],
)
def test_one_occurrence(zone: str, starts: str, minutes: int, began: str, ended: str) -> None:
    schedule = Schedule(zone, local(starts), minutes)
    assert span_on(schedule, schedule.starts_local.date(), ZoneInfo(zone)) == (utc(began), utc(ended))


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        (None, ["03-06T07:00"]),
        (Repeat("day"), ["03-06T07:00", "03-07T07:00", "03-08T07:00", "03-09T06:00", "03-10T06:00"]),
        (Repeat("day", until=date(2026, 3, 8)), ["03-06T07:00", "03-07T07:00", "03-08T07:00"]),
        (Repeat("week"), ["03-06T07:00"]),
        (Repeat("week", ("sun", "mon")), ["03-08T07:00", "03-09T06:00"]),
        (Repeat("month"), ["03-06T07:00"]),
    ],
)
def test_repeats_stay_at_their_hour_on_the_wall(repeat: Repeat | None, expected: list[str]) -> None:
    schedule = Schedule(NEW_YORK, local("2026-03-06T02:00"), 60, repeat)
    found = occurrences(schedule, utc("2026-03-01T00:00"), utc("2026-03-11T00:00"))
    assert [began.strftime("%m-%dT%H:%M") for began, _ in found] == expected


def test_half_open_and_cut_short() -> None:
    schedule = Schedule(SEOUL, local("2026-11-22T02:00"), 60)
    assert active_at(schedule, utc("2026-11-21T16:59:59")) is None
    assert active_at(schedule, utc("2026-11-21T17:00:00")) is not None
    assert active_at(schedule, utc("2026-11-21T17:59:59")) is not None
    assert active_at(schedule, utc("2026-11-21T18:00:00")) is None
    cut = Schedule(SEOUL, local("2026-11-22T02:00"), 60, None, utc("2026-11-21T17:30"))
    assert active_at(cut, utc("2026-11-21T17:29:59")) is not None
    assert active_at(cut, utc("2026-11-21T17:30:00")) is None


ZONES = (
    NEW_YORK,
    SEOUL,
    CAIRO,
    "America/Santiago",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Berlin",
)


@given(
    zone=st.sampled_from(ZONES),
    starts=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 the clock on the wall
    minutes=st.integers(5, 3 * 1440),
    every=st.sampled_from([None, "day", "week", "month"]),
    look=st.integers(0, 400),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_zone_each_occurrence_is_found_and_is_as_long_as_agreed(
    zone: str, starts: datetime, minutes: int, every: str | None, look: int
) -> None:
    starts = starts.replace(second=0, microsecond=0)
    schedule = Schedule(zone, starts, minutes, Repeat(every) if every else None)
    first = starts.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) + timedelta(days=look)
    for began, ended in occurrences(schedule, first, first + timedelta(days=35)):
        assert began < ended
        assert abs((ended - began) - timedelta(minutes=minutes)) <= timedelta(hours=2)
        assert active_at(schedule, began) is not None
        assert active_at(schedule, ended - timedelta(seconds=1)) is not None
        on_wall = began.astimezone(ZoneInfo(zone))
        assert (on_wall.hour, on_wall.minute) == (starts.hour, starts.minute) or on_wall.utcoffset() != (
            on_wall - timedelta(hours=3)
        ).astimezone(UTC).astimezone(ZoneInfo(zone)).utcoffset()
