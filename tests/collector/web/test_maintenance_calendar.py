"""The calendar of agreed work: by whose clock, on which days, and whose business hours it meets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from fastapi.testclient import TestClient
from test_pages import BROWSER, read
from world import World, make_world, plant

from collector.maintenance.occurrence import Repeat, Schedule
from collector.maintenance.queries import PLANNED, WindowRow, add_window
from collector.store.schema import instant
from collector.store.scope import EVERYTHING, Scope
from collector.web import maintenance_calendar as calendar

NOW = datetime(2026, 7, 31, 5, 5, tzinfo=UTC)
NIGHT = Schedule("Asia/Seoul", datetime(2026, 7, 31, 22, 0), 240)  # noqa: DTZ001 the clock on the wall there


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = plant(make_world(tmp_path_factory.mktemp("world")))
    now = instant(made.clock.wall_ms())
    with made.store.transaction() as connection:
        add_window(
            connection, "라우터 교체", PLANNED, [("site", "new-york"), ("site", "tokyo")], NIGHT, None, now, "park"
        )
    yield made
    made.store.close()


def row(schedule: Schedule, *subjects: tuple[str, str]) -> WindowRow:
    return WindowRow(1, "work", PLANNED, subjects, schedule, None, NOW, "park")


@pytest.mark.parametrize(
    ("view", "day", "first", "before", "after"),
    [
        ("week", date(2026, 7, 31), date(2026, 7, 27), date(2026, 7, 24), date(2026, 8, 7)),
        ("week", date(2026, 7, 27), date(2026, 7, 27), date(2026, 7, 20), date(2026, 8, 3)),
        ("month", date(2026, 7, 31), date(2026, 6, 29), date(2026, 6, 1), date(2026, 8, 1)),
        ("month", date(2026, 12, 31), date(2026, 11, 30), date(2026, 11, 1), date(2027, 1, 1)),
        ("month", date(2026, 2, 1), date(2026, 1, 26), date(2026, 1, 1), date(2026, 3, 1)),
    ],
)
def test_weeks_begin_on_monday(view: str, day: date, first: date, before: date, after: date) -> None:
    assert calendar.first_day(view, day) == first
    assert calendar.neighbours(view, day) == (before, after)


def test_headquarters_night_is_new_yorks_office_hours(world: World) -> None:
    fleet = world.registry.fleet
    asked = row(NIGHT, ("site", "new-york"), ("site", "tokyo"))
    ((*_, friday, saturday, _sunday),) = calendar.days_of("week", NOW.date(), None, [asked], fleet, EVERYTHING, NOW)
    (late,), (early,) = friday.entries, saturday.entries
    assert (late.began.strftime("%d %H:%M"), late.begins, late.ends) == ("31 22:00", True, False)
    assert (early.begins, early.ends, early.ended.strftime("%d %H:%M")) == (False, True, "01 02:00")
    first, second = late.places
    assert (first.site.id, first.began.strftime("%d %H:%M")) == ("new-york", "31 09:00")
    assert first.meets is not None
    assert second.meets is None, "at night nobody works in Tokyo"
    assert late.warns
    assert friday.is_today
    assert calendar.warned([[friday, saturday]]) == 1
    lone = calendar.days_of("week", NOW.date(), None, [asked], fleet, Scope(frozenset(), frozenset({"tokyo"})), NOW)
    assert [place.site.id for place in lone[0][4].entries[0].places] in ([], ["tokyo"])


def test_a_site_has_its_own_days_and_months_are_whole_weeks(world: World) -> None:
    fleet = world.registry.fleet
    there = fleet.sites["new-york"]
    (week,) = calendar.days_of("week", NOW.date(), there, [row(NIGHT, ("site", "new-york"))], fleet, EVERYTHING, NOW)
    assert [len(day.entries) for day in week] == [0, 0, 0, 0, 1, 0, 0], "09:00 to 13:00 of one day there"
    daily = Schedule("Asia/Seoul", NIGHT.starts_local, 60, Repeat("day"))
    weeks = calendar.days_of("month", date(2026, 8, 15), None, [row(daily, ("site", "tokyo"))], fleet, EVERYTHING, NOW)
    assert [len(one) for one in weeks] == [7] * 6
    assert sum(len(day.entries) for one in weeks for day in one if day.is_inside) == 31


def test_the_page_in_both_views_and_by_another_clock(world: World) -> None:
    with TestClient(world.app(), base_url="http://127.0.0.1:8650") as client:
        for path in ("/maintenance?view=week", "/maintenance?view=month&day=2026-07-01"):
            page = read(client.get(path, headers=BROWSER).text)
            assert "라우터 교체" in page.text, path
            assert "근무 시간과 겹" in page.text, path
        there = read(client.get("/maintenance?view=week&at=new-york", headers=BROWSER).text)
        assert "America/New_York (UTC-04:00)" in there.text
        assert client.get("/maintenance?view=week&day=soon", headers=BROWSER).status_code == 422
        assert client.get("/maintenance?view=month&day=0001-01-01", headers=BROWSER).status_code == 422
