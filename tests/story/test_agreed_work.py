"""A hub is upgraded and a carrier works on a line in one agreed hour: nobody is called for either, and somebody for the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from paged_demo import paged_demo

from collector.incidents.queries import events_of, list_incidents
from collector.maintenance.occurrence import Schedule
from collector.maintenance.queries import PLANNED, add_window
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.verdicts.standing import MAINTENANCE, NO_DATA, OK
from collector.world.demo.demo import Demo, hub_url

pytestmark = pytest.mark.slow
BEGAN = datetime(2026, 10, 27, 0, 30, tzinfo=UTC)
MINUTE = 60.0
LINE = "nairobi/main"


def subjects(demo: Demo) -> list[tuple[str, str]]:
    app = demo.centre.app
    assert app is not None
    with app.store.reading() as connection:
        return [one.subject for one in list_incidents(connection, EVERYTHING)]


def test_nobody_is_called_for_agreed_work_on_a_hub_and_a_line(tmp_path: Path) -> None:
    with paged_demo(tmp_path, BEGAN, is_small=True, least_seconds=10.0, interval_seconds=30.0) as (demo, calls):
        app, hub = demo.centre.app, demo.stations[hub_url("mea")]
        assert app is not None
        demo.play(5 * MINUTE)
        now = instant(demo.centre.clock.wall_ms())
        hour = Schedule("UTC", now.replace(tzinfo=None, second=0, microsecond=0), 30)
        with app.store.transaction() as connection:
            add_window(connection, "upgrade", PLANNED, [("hub", "mea"), ("link", LINE)], hour, now, now, "kim")
        hub.end()
        demo.condition.cut_links.add(LINE)
        demo.play(8 * MINUTE)
        standing = app.standing
        assert (standing.hubs["mea"].state, standing.links[LINE].state) == (MAINTENANCE, MAINTENANCE)
        assert (standing.sites["nairobi"].state, standing.sites["nairobi"].reason) == (MAINTENANCE, "behind_work")
        assert standing.sites["cairo"].state == OK, "its agents went to the centre by themselves"
        assert (calls.calls, subjects(demo)) == ([], [])

        demo.condition.failing["srv1.cairo", "process:smbd"] = (2, "not running")
        demo.play(3 * MINUTE)
        assert subjects(demo) == [("host", "srv1.cairo")], "what is not agreed is told"
        assert len(calls.of("trigger")) == 1
        del demo.condition.failing["srv1.cairo", "process:smbd"]

        hub.begin()
        demo.condition.cut_links.discard(LINE)
        demo.play(25 * MINUTE)
        assert app.standing.hubs["mea"].state == OK
        assert app.standing.sites["nairobi"].state == OK
        assert len(subjects(demo)) == 1, "and nobody for what comes back"

        demo.condition.cut_links.add(LINE)
        demo.play(8 * MINUTE)
        assert app.standing.sites["nairobi"].state > NO_DATA
        assert subjects(demo)[0] == ("link", LINE), "the hour is over"
        assert len({call.incident for call in calls.of("trigger")}) == 2


def test_work_on_what_is_open_ends_nothing_and_wakes_nobody_anew(tmp_path: Path) -> None:
    """A line is cut, somebody is called, and the carrier's work is agreed while it is still cut."""
    with paged_demo(tmp_path, BEGAN, is_small=True, least_seconds=10.0, interval_seconds=30.0) as (demo, calls):
        app = demo.centre.app
        assert app is not None
        demo.play(5 * MINUTE)
        demo.condition.cut_links.add(LINE)
        demo.play(8 * MINUTE)
        (number,) = {call.incident for call in calls.of("trigger")}
        now = instant(demo.centre.clock.wall_ms())
        hour = Schedule("UTC", now.replace(tzinfo=None, second=0, microsecond=0), 30)
        with app.store.transaction() as connection:
            add_window(connection, "mending", PLANNED, [("link", LINE)], hour, now, now, "kim")
        before = len(calls.calls)
        demo.play(25 * MINUTE)
        assert app.standing.links[LINE].state == MAINTENANCE
        assert course_of(demo, int(number))[-1] == "work_began"
        assert calls.calls[before:] == [], "neither called again, nor told that it is over"
        demo.play(10 * MINUTE)
        assert app.standing.links[LINE].state > NO_DATA
        assert len(subjects(demo)) == 1, "the same one goes on"
        demo.condition.cut_links.discard(LINE)
        demo.play(10 * MINUTE)
        told = [kind for kind in course_of(demo, int(number)) if kind in ("work_began", "work_over", "resolved")]
        assert told == ["work_began", "work_over", "resolved"]


def course_of(demo: Demo, number: int) -> list[str]:
    app = demo.centre.app
    assert app is not None
    with app.store.reading() as connection:
        return [event.kind for event in events_of(connection, number)]
