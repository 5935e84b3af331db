"""01:42 in Seoul: large packets are lost in Gwangju and everything looks green. Who is called, by what, until it is over.

The demonstration's small world and its whole application; pages go to a real little server, the answer comes as a phone
sends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from paged_demo import Gateway, paged_demo

from agent.link.exchange import Request, Response
from collector.app import App
from collector.incidents import queries
from collector.incidents.incident import ACKNOWLEDGED, RESOLVED, Incident
from collector.incidents.report import as_text, report
from collector.rosters.queries import list_handovers, receive_handover, write_handover
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.world.demo.demo import CENTRE, Demo
from collector.world.demo.scenarios import SCENARIOS

pytestmark = pytest.mark.slow
SEOUL = ZoneInfo("Asia/Seoul")
BEGAN = datetime(2026, 11, 17, 1, 39, tzinfo=SEOUL)
LARGE_PACKETS = 1
Paged = tuple[Demo, Gateway]


@pytest.fixture
def paged(tmp_path: Path) -> Iterator[Paged]:
    with paged_demo(tmp_path, BEGAN, is_small=True, least_seconds=3.0, interval_seconds=15.0) as (demo, calls):
        demo.play(180)
        yield demo, calls


def app_of(demo: Demo) -> App:
    app = demo.centre.app
    assert app is not None
    return app


def only_incident(demo: Demo) -> Incident:
    with app_of(demo).store.reading() as connection:
        (found,) = queries.list_incidents(connection, EVERYTHING)
    return found


def ask(demo: Demo, method: str, link: str) -> Response:
    """As a phone's browser does."""
    form = (("content-type", "application/x-www-form-urlencoded"), ("accept-language", "ko"))
    said = demo.stations[CENTRE].answer(Request(method, CENTRE, urlsplit(link).path, b"", form))
    assert isinstance(said, Response)
    return said


def test_the_night_of_the_large_packets(paged: Paged) -> None:
    demo, calls = paged
    assert calls.called == [], "a start wakes nobody"
    began = demo.timeline.now
    SCENARIOS[LARGE_PACKETS].play(demo)
    demo.play(240)
    assert calls.called == [("kim", "email", "trigger")], "who has the night, and nobody who sleeps"
    first = calls.calls[0]
    assert first.severity == "critical"
    assert first.at - began < 180
    assert "큰 패킷" in first.text

    demo.play(300)  # nobody answers
    later = [call for call in calls.calls if call.at > first.at + 60]
    assert sorted((call.person, call.channel) for call in later) == [("kim", "sms"), ("lee", "sms")], (
        "the next one, by another channel; and as that one is off shift, never alone"
    )
    assert all(abs(call.at - first.at - 300) < 15 for call in later)

    link = next(call.link for call in later if call.person == "kim")
    looked = ask(demo, "GET", link)
    assert looked.status == 200
    assert only_incident(demo).acknowledged_at is None, "a preview of a link acknowledges nothing"
    assert ask(demo, "POST", link).status in (200, 303)
    answered = only_incident(demo)
    assert answered.state == ACKNOWLEDGED
    assert answered.acknowledged_by == "kim"

    number, store = answered.number, app_of(demo).store
    now = instant(demo.centre.clock.wall_ms())
    with store.transaction() as connection:
        failing = app_of(demo).response.open_incidents(EVERYTHING)
        note = write_handover(connection, "room", from_people=["kim", "lee"], to_people=["park"], changes_at=None,
                              note="광주 코어 포트 교체 중", failing=failing, now=now, by="kim")  # fmt: skip
        assert receive_handover(connection, "room", note, "park", now)
        assert queries.assign(connection, number, "kim", now, "park")
        assert queries.comment(connection, number, "park", now, "포트를 옮김", is_action=True)
        (handed,) = list_handovers(connection, "room")
    assert any(f"#{number}" in str(row) for row in handed.failing), "the note names what is open"

    before = len(calls.calls)
    demo.play(15 * 60)
    assert only_incident(demo).state == RESOLVED
    assert {(call.kind, call.incident) for call in calls.calls[before:]} == {("recovery", number)}
    assert {call.person for call in calls.calls[before:]} == {"kim", "lee"}, "whoever heard of it hears its end"

    with store.reading() as connection:
        events = queries.events_of(connection, number)
    written = as_text(report(only_incident(demo), events, "final", "ko", app_of(demo).registry.fleet, now))
    for word in ("발생", "전파", "인지", "조치", "복구", "광주"):
        assert word in written
