"""Nine in the morning in Seoul: what called nobody is told once, by mail, to those on duty, each in their language.

The demonstration's small world and its whole application; the centre is started anew in the very hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from paged_demo import paged_demo

from collector.access.queries import add_api_token
from collector.app import App
from collector.world.demo.demo import CENTRE, Demo

pytestmark = pytest.mark.slow
SEOUL = ZoneInfo("Asia/Seoul")
BEGAN = datetime(2026, 11, 17, 8, 50, tzinfo=SEOUL)
NINE = 10 * 60.0
"""In seconds since the world began."""
MINUTE = 60.0
TOKEN = "bongsu_story"
PEOPLE = """
[[people]]
id = "kim"
name_ko = "김가람"
timezone = "Asia/Seoul"
contacts = [{ channel = "sms", address = "010-1" }, { channel = "email", address = "kim@demo.example" }]
[[people]]
id = "tan"
name_ko = "탄 메이"
name_en = "Tan Mei"
languages = ["en"]
timezone = "Asia/Tokyo"
contacts = [{ channel = "email", address = "tan@demo.example" }]
[[people]]
id = "park"
name_ko = "박다온"
contacts = [{ channel = "sms", address = "010-2" }]
[[people]]
id = "choi"
name_ko = "최라온"
contacts = [{ channel = "email", address = "choi@demo.example" }]
[[teams]]
id = "room"
name_ko = "종합상황실"
members = ["kim", "tan", "park", "choi"]
[[rosters]]
id = "room"
name_ko = "종합상황실"
[[rosters.layers]]
name = "always"
kind = "turns"
starts = 2026-11-16
crews = [["kim", "tan", "park"]]
"""


def app_of(demo: Demo) -> App:
    app = demo.centre.app
    assert app is not None
    return app


def tell(demo: Demo, name: str, host: str, severity: str, **more: Any) -> None:
    """As a Prometheus does that watches the same host."""
    ends = BEGAN + timedelta(seconds=demo.timeline.now, hours=2)
    labels = {"alertname": name, "instance": host, "severity": severity}
    alert = {"labels": labels, "endsAt": ends.isoformat(), "annotations": {"summary": f"{name} of {host}"}} | more
    client = TestClient(
        app_of(demo).fastapi, base_url="http://127.0.0.1:8650", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert client.post("/api/v2/alerts", json=[alert]).status_code == 200


def restart(demo: Demo, seconds: float) -> None:
    demo.stations[CENTRE].end()
    demo.timeline.after(seconds, demo.stations[CENTRE].begin)


def test_the_morning_tells_once_what_called_nobody(tmp_path: Path) -> None:
    with paged_demo(
        tmp_path, BEGAN, people=PEOPLE, summary_at="09:00", is_small=True, least_seconds=10.0, interval_seconds=30.0
    ) as (demo, calls):
        with app_of(demo).store.transaction() as connection:
            add_api_token(connection, TOKEN, "prometheus", "story", BEGAN, role="system_admin")
        demo.play(3 * MINUTE)
        tell(demo, "UpdateWaiting", "srv1.cairo", "info")
        demo.play(5 * MINUTE)
        assert calls.calls == [], "info calls nobody, and it is not nine yet"
        demo.play(4 * MINUTE)
        told = {call.person: call for call in calls.calls}
        assert sorted(calls.called) == [("kim", "email", "summary"), ("tan", "email", "summary")], (
            "who is on duty, and can be told without ringing: not the one with a telephone only, nor who is off"
        )
        assert all(NINE <= call.at < NINE + 2 * MINUTE for call in calls.calls)
        assert "아무도 부르지 않은 정보 장애 건" in told["kim"].text
        assert "Asia/Seoul" in told["kim"].text
        assert "Nothing is urgent" in told["tan"].text
        assert "Asia/Tokyo" in told["tan"].text
        assert all("UpdateWaiting" in call.text for call in calls.calls), "inside channels name things"
        assert len({call.key for call in calls.calls}) == 2

        restart(demo, 40)
        demo.play(10 * MINUTE)
        assert len(calls.calls) == 2, "a new process in the same hour tells nothing again"
        with TestClient(app_of(demo).fastapi, base_url="http://127.0.0.1:8650") as client:
            report = client.get("/situation.txt?lang=ko")
        assert report.status_code == 200
        assert "2026. 11. 17" in report.text
        assert "정보" in report.text
