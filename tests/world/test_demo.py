"""The demonstration: a quiet world is green, each disaster is named for what it is, and one seed is one world."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from collector.fleet.calendar import working_spans
from collector.fleet.paths import SiteCalendar
from collector.fleet.topology import read_topology
from collector.verdicts.standing import DEGRADED, DOWN, NO_DATA, OK
from collector.world.clock import Timeline
from collector.world.demo.agreed import USUAL_MINUTES, USUAL_SITES
from collector.world.demo.condition import Condition
from collector.world.demo.demo import CENTRE, Demo, hub_url
from collector.world.demo.fleet import SERVICES, document, looks, machines
from collector.world.demo.people import rosters
from collector.world.demo.scenarios import SCENARIOS

SETTLED_SECONDS = 150.0
LEARNING_SECONDS = 600.0

Named = dict[str, tuple[int, str]]
BATTERY: Named = {"host:noc1.dc-djn": (DEGRADED, "checks_failing")}
NAMED: dict[int, tuple[tuple[float, Named], ...]] = {
    1: ((120.0, {"link:dc-gwj/main": (DEGRADED, "large_packets_lost")}),),
    2: ((150.0, BATTERY), (250.0, BATTERY | {"site:dc-djn": (DEGRADED, "building_failing")})),
    3: ((200.0, {"cable:red-sea": (DEGRADED, "common_factor")}),),
    4: ((240.0, {"hub:mea": (NO_DATA, "hub_silent")}),),
    5: ((90.0, {"site:abuja": (DEGRADED, "on_battery")}), (520.0, {"site:abuja": (DOWN, "power")})),
    7: ((200.0, {"link:tashkent/main": (DOWN, "unreachable")}),),
    10: ((60.0, {"host:records-dr1.dc-gju": (DEGRADED, "checks_failing")}),),
}
"""Scenario -> seconds after which all its causes are named, and causes with state and reason. Agreed work (6) has none."""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(7, tmp_path)
    made.play(SETTLED_SECONDS)
    yield made
    made.end()


def test_the_topology_is_one_that_apply_takes() -> None:
    fleet = read_topology(document(), "demo")
    assert len(fleet.hosts) == len(machines())
    assert len(fleet.probes) == len(looks())
    assert {look.host for look in looks()} <= {machine.id for machine in machines()}
    assert {service.grade for service in SERVICES} == {1, 2, 3}
    assert rosters().count("[[rosters]]") == 6


def test_usual_work_hurts_no_office_whenever_a_demonstration_begins() -> None:
    usual = [row for row in read_topology(document(), "demo").sites.values() if row["id"] in USUAL_SITES]
    keys = ("country", "subdivision", "weekend", "korean_days", "closures", "business_hours")
    for hour in range(7 * 24):
        began = datetime(2026, 3, 23, tzinfo=UTC) + timedelta(hours=hour)
        ended = began + timedelta(minutes=USUAL_MINUTES)
        met = [
            working_spans(SiteCalendar(*(row[key] for key in keys)), ZoneInfo(row["timezone"]), began, ended)
            for row in usual
        ]
        assert [] in met, began


class Bare:
    """What scenarios touch of a demonstration, with nobody living in it."""

    def __init__(self) -> None:
        self.timeline, self.condition, self.chance = Timeline(), Condition(), random.Random(1)
        self.stations = {url: BareStation() for url in (CENTRE, hub_url("mea"))}
        self.agents = ["noc1.dc-djn", "login-web1.dc-djn", "portal-db1.dc-djn"]
        self.line = SimpleNamespace(changed=None)

    def at_centre(self, _action: object) -> None:
        """Nobody keeps rows here."""

    def route(self, _place: object, _url: str) -> tuple[object, None]:
        return self.line, None

    @property
    def is_well(self) -> bool:
        all_up = all(station.app for station in self.stations.values())
        return self.condition == Condition() and all_up and self.line.changed is None


class BareStation:
    app: str | None = "up"

    def end(self) -> None:
        self.app = None

    def begin(self) -> None:
        self.app = "up"


@pytest.mark.parametrize("is_stopped", [False, True], ids=["ends", "stopped"])
@pytest.mark.parametrize("number", SCENARIOS)
def test_a_play_leaves_nothing_wrong(number: int, is_stopped: bool) -> None:
    bare, scenario = Bare(), SCENARIOS[number]
    play = scenario.play(cast("Demo", bare))
    bare.timeline.step(scenario.seconds / 4)
    assert not bare.is_well
    if is_stopped:
        play.stop()
        assert bare.is_well
    bare.timeline.step(scenario.seconds)
    assert play.is_over
    assert bare.is_well, "nothing planned came after the end"


@pytest.mark.slow
def test_a_quiet_world_is_green(demo: Demo) -> None:
    demo.play(120.0)
    assert demo.centre.app is not None
    standing = demo.centre.app.standing
    assert {site.state for site in standing.sites.values()} == {OK}
    assert {host.state for host in standing.hosts.values()} == {OK}
    assert {system.state for system in standing.systems.values()} == {OK}
    assert standing.causes == {}


@pytest.mark.slow
@pytest.mark.parametrize("number", NAMED)
def test_each_disaster_is_named_for_what_it_is(demo: Demo, number: int) -> None:
    if number == 3:  # what is slow is known by what is usual
        demo.play(LEARNING_SECONDS)
    SCENARIOS[number].play(demo)
    began = demo.timeline.now
    for seconds, named in NAMED[number]:
        demo.play(began + seconds - demo.timeline.now)
        assert demo.centre.app is not None
        found = {name: (one.state, one.reason) for name, one in demo.centre.app.standing.causes.items()}
        assert found == named, seconds


@pytest.mark.slow
def test_a_lost_centre_is_back_with_everything(demo: Demo) -> None:
    SCENARIOS[9].play(demo)
    demo.play(60.0)
    assert demo.centre.app is None
    demo.play(360.0)
    app = demo.centre.app
    assert app is not None
    assert app.standing.causes == {}
    assert all(agent.spool.figures().lost == 0 for agent in demo.agents.values())


@pytest.mark.slow
def test_forged_reports_are_refused_and_nothing_else_suffers(demo: Demo) -> None:
    SCENARIOS[8].play(demo)
    demo.play(240.0)
    app = demo.stations["https://hub-latam"].app
    assert app is not None
    assert sum(count for (_, code), count in app.intake.refusals.items() if code == "bad_signature") > 0
    assert demo.centre.app is not None
    assert demo.centre.app.standing.hosts["srv1.cairo"].state == OK
