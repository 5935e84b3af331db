"""Disasters of the demonstration as nights of those who are on duty: exactly the intended people, once.

The demonstration's small world and its whole application; who is called by the numbers of ``bongsu demo play``.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from paged_demo import Gateway, paged_demo

from agent.link.exchange import Request, Response
from collector.app import App
from collector.incidents.incident import ACKNOWLEDGED, RESOLVED, Incident
from collector.incidents.queries import list_incidents, signals_of
from collector.incidents.related import related_to
from collector.maintenance.api import shown
from collector.maintenance.queries import list_windows
from collector.maintenance.warning import BUSINESS_HOURS
from collector.rosters.compile import ground_of
from collector.rosters.duty import Called, called
from collector.rosters.queries import load_rosters
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.verdicts.standing import DOWN, MAINTENANCE, OK
from collector.world.demo.demo import CENTRE, Demo
from collector.world.demo.scenarios import SCENARIOS

pytestmark = pytest.mark.slow
SEOUL = ZoneInfo("Asia/Seoul")
NIGHT = datetime(2026, 11, 17, 1, 30, tzinfo=SEOUL)
MINUTE = 60.0
THREE_INTERVALS = 3 * 30.0 + 20.0
"""Of reports in these stories, and until that is looked at."""
FIRE, SLOW_SEA, OFFICE_HOURS, ROSTER_GAP, FORGED, CENTRE_LOST, NO_COPY = 2, 3, 6, 7, 8, 9, 10


@contextmanager
def night(folder: Path, minutes: float = 4, *, is_thin: bool = False) -> Iterator[tuple[Demo, Gateway]]:
    """A quiet beginning of so many minutes."""
    pace = {"least_seconds": 10.0, "interval_seconds": 30.0}
    with paged_demo(folder, NIGHT, is_small=True, is_thin=is_thin, **pace) as (demo, calls):
        demo.play(minutes * MINUTE)
        assert calls.called == [], "a start wakes nobody"
        yield demo, calls


def app_of(demo: Demo) -> App:
    app = demo.centre.app
    assert app is not None
    return app


def incidents_of(demo: Demo) -> list[Incident]:
    """Oldest first."""
    with app_of(demo).store.reading() as connection:
        return list_incidents(connection, EVERYTHING)[::-1]


def told(demo: Demo) -> list[tuple[str, str]]:
    """(key, severity) of whatever calls anybody."""
    return [(one.key, one.severity) for one in incidents_of(demo) if one.severity != "info"]


def answers(demo: Demo, calls: Gateway, person: str) -> None:
    """The person takes up the last page they got."""
    link = next(call.link for call in reversed(calls.calls) if call.person == person)
    form = (("content-type", "application/x-www-form-urlencoded"), ("accept-language", "ko"))
    said = demo.stations[CENTRE].answer(Request("POST", CENTRE, urlsplit(link).path, b"", form))
    assert isinstance(said, Response)
    assert said.status in (200, 303)


def test_a_centre_that_goes_dark_is_one_incident_and_names_what_went_before(tmp_path: Path) -> None:
    """The first machine is switched off three minutes after the batteries began to heat up, then one every 20 s."""
    with night(tmp_path, minutes=3) as (demo, calls):
        play = SCENARIOS[FIRE].play(demo)
        demo.play(3 * MINUTE)
        assert calls.called == [("kim", "email", "trigger")]
        assert "68 C, cooling lost" in calls.calls[0].text
        answers(demo, calls, "kim")
        demo.play(THREE_INTERVALS)
        (heat, fire) = incidents_of(demo)
        assert (fire.key, fire.reason, fire.severity) == ("site:dc-djn", "building_failing", "critical")
        assert fire.evidence[0][:3] == (
            "went_before",
            "noc1.dc-djn",
            "ups:rack1: battery temperature 68 C, cooling lost",
        )
        demo.play(MINUTE)
        (_, fire) = incidents_of(demo)
        assert {"adm", "apv", "ctc", "for", "pfn"} <= set(fire.impact["agencies"])
        down = {name for name, one in app_of(demo).standing.systems.items() if one.state == DOWN}
        assert {"login", "portal", "consultation", "approval"} <= down, "confirmed from next door, not only unknown"
        assert calls.called[1:] == [("kim", "email", "trigger")]
        assert calls.calls[1].incident == fire.number
        assert "대전" in calls.calls[1].text
        answers(demo, calls, "kim")
        demo.play(3 * MINUTE)
        assert [one.number for one in incidents_of(demo)] == [heat.number, fire.number], "no host is one of its own"
        assert fire.impact["host_count"] < incidents_of(demo)[1].impact["host_count"] == 12
        with app_of(demo).store.reading() as connection:
            assert [one.number for one in related_to(connection, EVERYTHING, fire)] == [heat.number]
            assert [one.number for one in related_to(connection, EVERYTHING, heat)] == [fire.number]
        play.stop()
        demo.play(6 * MINUTE)
        assert [one.state for one in incidents_of(demo)] == [RESOLVED, RESOLVED]
        assert {(person, kind) for person, _, kind in calls.called[2:]} == {("kim", "recovery")}


def test_a_slow_sea_is_one_warning_to_one_person(tmp_path: Path) -> None:
    with night(tmp_path, minutes=11) as (demo, calls):  # what is slow is known by what is usual
        SCENARIOS[SLOW_SEA].play(demo)
        demo.play(14 * MINUTE)
        assert told(demo) == [("cable:red-sea", "warning")], "not one for each of the lines behind it"
        assert calls.called == [("kim", "email", "trigger")]
        assert "뉴델리" in calls.calls[0].text or "홍해" in calls.calls[0].text or "red-sea" in calls.calls[0].text
        (sea,) = [one for one in incidents_of(demo) if one.severity == "warning"]
        assert {"new-delhi", "dubai"} <= set(sea.impact["sites"])
        demo.play(28 * MINUTE)
        assert calls.called[1:] == [("kim", "email", "recovery")]


def test_work_in_office_hours_calls_for_what_outlasts_it(tmp_path: Path) -> None:
    """Agreed for 01:30 in Seoul, 11:30 in New York. The last of three lines is cut again as soon as the window closes."""
    with night(tmp_path) as (demo, calls):
        SCENARIOS[OFFICE_HOURS].play(demo)
        app = app_of(demo)
        now = instant(demo.centre.clock.wall_ms())
        with app.store.reading() as connection:
            agreed = [
                shown(row, app.registry.fleet, now, EVERYTHING)
                for row in list_windows(connection, app.registry.fleet, EVERYTHING)
            ]
        assert [row.is_active for row in agreed] == [True, False], "one part is under way, one ahead"
        for row in agreed:
            met = {one.site for one in row.warnings if one.code == BUSINESS_HOURS}
            assert "new-york" in met
        assert met == {"new-york", "los-angeles", "ottawa"}, "the part ahead meets office hours of all of them"
        demo.play(3 * MINUTE)
        assert app.standing.sites["new-york"].state == MAINTENANCE
        demo.timeline.after(17 * MINUTE + 1, lambda: demo.condition.cut_links.add("ottawa/main"))
        demo.play(17 * MINUTE)
        assert calls.called == [], "agreed work calls nobody, also where people sit in their offices"
        demo.play(9 * MINUTE)
        assert {person for person, _, kind in calls.called if kind == "trigger"} == {"smith"}, "who sits in that office"
        assert len({call.incident for call in calls.calls}) == 1


def test_a_substitute_holiday_leaves_the_team_without_anybody_at_any_hour(tmp_path: Path) -> None:
    """Noon in Berlin, when somebody of the team for Tashkent is on duty on any other day."""
    noon = datetime(2026, 11, 17, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    with paged_demo(tmp_path, noon, is_thin=True, least_seconds=5.0, interval_seconds=30.0) as (demo, calls):
        demo.play(4 * MINUTE)
        assert calls.called == []
        assert not any(each.is_hole for each in who_is_called(demo, "tashkent", noon))
        play = SCENARIOS[ROSTER_GAP].play(demo)
        for hour in range(20):
            team, room = who_is_called(demo, "tashkent", noon + timedelta(hours=hour))
            assert (team.is_hole, room.is_hole) == (True, False), hour
        demo.play(8 * MINUTE)
        assert "weber" not in {call.person for call in calls.calls}
        assert {one.key for one in incidents_of(demo) if one.site == "tashkent"} == {"link:tashkent/main"}
        assert "trigger" in {call.kind for call in calls.calls}, "the situation room hears of it instead"
        play.stop()
        assert next(each.people for each in who_is_called(demo, "tashkent", noon)) == ("weber",)


def test_a_hole_in_the_roster_calls_who_stands_in(tmp_path: Path) -> None:
    """17 August 2026 is off in Korea, for Liberation Day was a Saturday; the roster has nobody for such a Monday."""
    people = (
        _person("kim") + _person("boss") + '[[rosters]]\nid = "room"\nname_ko = "상황실"\ncalendar = "dc-gwj"\n'
        'fallback = ["boss"]\n[[rosters.layers]]\nname = "day"\nhours = "office"\nstarts = 2026-01-05\ncrews = [["kim"]]\n'
        '[[rosters.layers]]\nname = "night"\nhours = "18:00-09:00"\nstarts = 2026-01-05\ncrews = [["kim"]]\n'
    )
    with paged_demo(
        tmp_path, datetime(2026, 8, 17, 9, 5, tzinfo=SEOUL), people=people, is_thin=True, least_seconds=5.0,
        interval_seconds=30.0,
    ) as (demo, calls):  # fmt: skip
        demo.play(5 * MINUTE)
        assert calls.called == [("boss", "email", "duty_hole")], "that nobody is there is told before anything happens"
        answers(demo, calls, "boss")
        SCENARIOS[ROSTER_GAP].play(demo)
        demo.play(5 * MINUTE)
        assert {(call.person, call.kind) for call in calls.calls[1:]} == {("boss", "trigger")}
        assert {one.key for one in incidents_of(demo) if one.site == "tashkent"} == {"link:tashkent/main"}


def test_forged_reports_are_told_once_and_darken_nothing(tmp_path: Path) -> None:
    """The region's hub refuses them and tells the centre; the true ones come all the same."""
    with night(tmp_path) as (demo, calls):
        SCENARIOS[FORGED].play(demo)
        demo.play(6 * MINUTE)
        assert calls.called == [("kim", "email", "trigger")]
        assert "봉인하지 않은" in calls.calls[0].text
        answers(demo, calls, "kim")
        demo.play(8 * MINUTE)
        assert len(calls.calls) == 1
        (forged,) = [one for one in incidents_of(demo) if one.severity != "info"]
        with app_of(demo).store.reading() as connection:
            assert {dict(row.labels).get("hub") for row in signals_of(connection, forged.number)} == {"latam"}
        assert app_of(demo).standing.sites["lima"].state == OK


def test_the_centre_is_lost_and_its_stand_by_knows_what_was_answered(tmp_path: Path) -> None:
    """The stand-by begins three minutes later on the last copy of the database; a line fails while nobody judges."""
    with night(tmp_path, is_thin=True) as (demo, calls):
        demo.condition.cut_links.add("tashkent/main")
        demo.play(5 * MINUTE)
        assert [kind for _, _, kind in calls.called].count("trigger") == len({call.person for call in calls.calls})
        answers(demo, calls, "kim")
        folder, copy = demo.folder / "centre", tmp_path / "copy.db"
        _copy(folder / "bongsu.db", copy)
        before = len(calls.calls)
        demo.play(2 * MINUTE)
        SCENARIOS[CENTRE_LOST].play(demo)
        for file in folder.glob("bongsu.db*"):
            file.unlink()
        shutil.copy(copy, folder / "bongsu.db")
        demo.condition.cut_links.add("cairo/main")
        demo.play(13 * MINUTE)
        assert demo.centre.lives == 2
        found = {one.site: one for one in incidents_of(demo) if one.severity != "info"}
        assert set(found) == {"tashkent", "cairo"}
        assert (found["tashkent"].state, found["tashkent"].acknowledged_by) == (ACKNOWLEDGED, "kim")
        later = calls.calls[before:]
        assert {(call.incident, call.kind) for call in later} <= {
            (found["cairo"].number, "trigger"),
            (found["cairo"].number, "escalation"),
        }
        assert [call.person for call in later if call.kind == "trigger"].count("kim") == 1


def test_records_without_a_copy_call_once_and_are_answered(tmp_path: Path) -> None:
    with night(tmp_path) as (demo, calls):
        SCENARIOS[NO_COPY].play(demo)
        demo.play(4 * MINUTE)
        assert told(demo) == [("host:records-dr1.dc-gju", "critical")]
        assert calls.called == [("kim", "email", "trigger")]
        answers(demo, calls, "kim")
        demo.play(15 * MINUTE)
        assert len(calls.calls) == 1, "whoever has it in hand is left alone, and so is everybody else"


def who_is_called(demo: Demo, site: str, at: datetime) -> list[Called]:
    app = app_of(demo)
    with app.store.reading() as connection:
        rosters = load_rosters(connection)
    return called(rosters, ground_of(app.registry.fleet), site, app.registry.fleet.sites[site].agency, at)


def _person(name: str) -> str:
    return f'[[people]]\nid = "{name}"\ncontacts = [{{ channel = "email", address = "{name}@demo.example" }}]\n'


def _copy(database: Path, to: Path) -> None:
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
