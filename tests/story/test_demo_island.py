"""A hub and its centre lose each other: both call somebody, and when they find each other again it was one disturbance.

The demonstration's small world, its whole application and five hubs that may call people of their own; pages of the centre
and of the hub go to a little real server each.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from paged_demo import gateway, paged_demo
from sqlalchemy import update

from agent.link.exchange import Request, Response
from collector.app import App
from collector.incidents.incident import ACKNOWLEDGED, CLOSED, OPEN, Incident
from collector.incidents.queries import list_incidents
from collector.people.tables import people_contacts
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.settings import Settings
from collector.settings_channels import Channel, Outbound
from collector.settings_paging import PagingSettings
from collector.store.scope import EVERYTHING
from collector.world.demo.demo import Demo, hub_url

pytestmark = pytest.mark.slow
BEGAN = datetime(2026, 11, 17, 1, 30, tzinfo=ZoneInfo("Asia/Seoul"))
MINUTE = 60.0
MEA = hub_url("mea")
FAILING = ("srv1.cairo", "process:smbd")
LOCAL = """
[[people]]
id = "ade"
name_en = "Ade"
languages = ["en"]
timezone = "Asia/Dubai"
contacts = [{ channel = "email", address = "ade@demo.example" }]
[[rosters]]
id = "local"
timezone = "Asia/Dubai"
[[rosters.layers]]
name = "all"
starts = 2026-01-01
crews = [["ade"]]
"""


def app_of(demo: Demo, station: str) -> App:
    app = demo.stations[station].app
    assert app is not None
    return app


def incidents_of(app: App) -> dict[str, Incident]:
    """By key; a second one of the same key fails."""
    with app.store.reading() as connection:
        found = list_incidents(connection, EVERYTHING)
    assert max(Counter(one.key for one in found).values(), default=1) == 1, [one.key for one in found]
    return {one.key if one.source == "verdict" else one.reason: one for one in found}


def test_a_hub_alone_calls_its_own_and_hands_over(tmp_path: Path) -> None:
    with gateway() as (local, port):
        email = Channel("email", "webhook", {"url": f"http://127.0.0.1:{port}/email"}, {"secret": "h" * 32})
        paging = PagingSettings(island_minutes=5)
        settings = Settings(channels=(email,), outbound=Outbound(private="127.0.0.1"), paging=paging)
        more = {"is_thin": True, "least_seconds": 5.0, "interval_seconds": 15.0, "hub_settings": settings}
        with paged_demo(tmp_path, BEGAN, **more) as (demo, calls):
            local.now = lambda: demo.timeline.now
            demo.play(3 * MINUTE)
            with app_of(demo, MEA).store.transaction() as connection:
                apply_rosters(connection, read_rosters(LOCAL, "local"))
                connection.execute(update(people_contacts).values(verified_at=BEGAN))
            demo.condition.cut_links.update({"dubai/main", "dubai/backup"})
            demo.play(4.5 * MINUTE)
            assert local.calls == [], "not before its time"
            assert [(one.person, one.kind) for one in calls.calls] == [("kim", "trigger")]
            demo.condition.failing[FAILING] = (2, "not running")
            demo.play(4 * MINUTE)
            at_hub = incidents_of(app_of(demo, MEA))
            assert set(at_hub) == {"CentreUnreachable", "host:srv1.cairo"}
            assert [(one.person, one.kind) for one in local.calls] == [("ade", "trigger")] * 2
            cairo = next(one for one in local.calls if one.incident == at_hub["host:srv1.cairo"].number)
            said = demo.stations[MEA].answer(Request("POST", MEA, urlsplit(cairo.link).path, b"", ()))
            assert isinstance(said, Response)
            assert said.status in (200, 303)
            assert "host:srv1.cairo" not in incidents_of(app_of(demo, "https://centre")), "it cannot see that far"

            before = len(calls.calls)
            demo.condition.cut_links.clear()
            demo.play(8 * MINUTE)
            found = incidents_of(app_of(demo, "https://centre"))
            open_ = [key for key, one in found.items() if one.state in OPEN and not one.is_digest]
            assert open_ == ["host:srv1.cairo"]
            mine = found["host:srv1.cairo"]
            assert (mine.state, mine.acknowledged_by) == (ACKNOWLEDGED, "mea/ade")
            assert {one.state for one in incidents_of(app_of(demo, MEA)).values()} == {CLOSED}
            hub = found["hub:mea"].number
            assert {(one.kind, one.incident) for one in calls.calls} <= {
                ("trigger", hub), ("escalation", hub), ("recovery", hub)
            }, "nobody is called a second time for what the hub called for"  # fmt: skip
            assert Counter(one.person for one in calls.calls[before:] if one.kind == "recovery")["kim"] == 1
            quiet = len(local.calls)
            demo.condition.failing.clear()
            demo.play(6 * MINUTE)
            now = incidents_of(app_of(demo, "https://centre"))
            assert [key for key, one in now.items() if one.state in OPEN and not one.is_digest] == []
            assert len(local.calls) == quiet, "the hub is silent while its centre is there"
