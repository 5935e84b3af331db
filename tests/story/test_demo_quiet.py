"""Two quiet hours around a change of the clocks: a great deal happens, and nobody is called. Then one thing that matters.

The demonstration's small world and its whole application. Coarser than life: an agent reports every 30 s and no job of
the centre runs more often than every 10 s. Longer stretches of quiet are coarser yet: ``tests/quiet_days.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from paged_demo import paged_demo

from collector.incidents.queries import list_incidents
from collector.maintenance.occurrence import Schedule
from collector.maintenance.queries import add_window
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.world.demo.demo import CENTRE, Demo, hub_url
from collector.world.station import Station
from collector.world.topology import AT

pytestmark = pytest.mark.slow
BEGAN = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
"""Half an hour before clocks in Europe go back."""
MINUTE = 60.0
LOSS = 0.03
HOUR_MS = 3_600_000


def restart(demo: Demo, station: Station, seconds: float) -> None:
    def begin() -> None:
        station.begin()

    station.end()
    demo.timeline.after(seconds, begin)


def plan(demo: Demo) -> None:
    """Everything that happens on two ordinary hours, and a little more."""
    after, condition, agents = demo.timeline.after, demo.condition, demo.agents
    for place in AT.values():
        if place.hub:
            demo.route(place, hub_url(place.hub))[0].loss = LOSS
    after(5 * MINUTE, lambda: setattr(agents["srv1.lima"].clock, "shift_ms", HOUR_MS))
    after(9 * MINUTE, lambda: setattr(agents["srv1.lima"].clock, "shift_ms", 0))
    after(10 * MINUTE, lambda: agents["srv1.cairo"].kill(cut_power=False))
    after(15 * MINUTE, lambda: restart(demo, demo.stations[hub_url("eur-cis")], 40))
    after(25 * MINUTE, lambda: restart(demo, demo.stations[CENTRE], 40))
    name = ("srv1.london", "process:smbd")
    for at in (40, 45, 50):
        after(at * MINUTE, lambda: condition.failing.__setitem__(name, (2, "not running")))
        after(at * MINUTE + 25, lambda: condition.failing.pop(name, None) and None)
    after(62 * MINUTE, lambda: condition.cut_links.add("nairobi/main"))  # agreed work
    after(85 * MINUTE, lambda: condition.cut_links.discard("nairobi/main"))


def test_two_quiet_hours_call_nobody_and_then_one_fault_calls_one(tmp_path: Path) -> None:
    with paged_demo(tmp_path, BEGAN, is_small=True, least_seconds=10.0, interval_seconds=30.0) as (demo, calls):
        app = demo.centre.app
        assert app is not None
        work = Schedule("UTC", (BEGAN + timedelta(minutes=60)).replace(tzinfo=None), 35)
        now = instant(demo.centre.clock.wall_ms())
        with app.store.transaction() as connection:
            add_window(connection, "line work", "work", [("site", "nairobi")], work, now, now, "kim")
        demo.play(4 * MINUTE)
        plan(demo)
        demo.play(116 * MINUTE)
        assert [(round(call.at / MINUTE), call.person, call.text[:90]) for call in calls.calls] == []
        assert demo.centre.lives == 2

        demo.condition.cut_links.add("tashkent/main")
        demo.play(6 * MINUTE)
        app = demo.centre.app
        assert app is not None
        with app.store.reading() as connection:
            newest = list_incidents(connection, EVERYTHING)[0]
        assert newest.subject_id.startswith("tashkent")
        assert {call.incident for call in calls.calls} == {newest.number}
        assert len({call.person for call in calls.calls if call.kind == "trigger"}) == 1
