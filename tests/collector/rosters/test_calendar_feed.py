"""Calendars out are read back by the library that others use; calendars in become absences and days off."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from icalendar import Calendar
from stage import Stage
from starlette.testclient import TestClient

from collector.errors import UsageError
from collector.people.person import Person
from collector.rosters import feed_api
from collector.rosters.calendar_feed import MOST_EVENTS, feed, read_calendar
from collector.rosters.compile import ground_of
from collector.rosters.duty import holes
from collector.rosters.queries import load_rosters
from collector.rosters.roster import TURNS, Ground, Layer, Roster
from collector.rosters.shifts import shifts
from collector.store.scope import Scope

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def events(content: bytes) -> list[tuple[datetime, datetime, str]]:
    found = Calendar.from_ical(content).walk("VEVENT")
    return [(e.decoded("dtstart"), e.decoded("dtend"), str(e["summary"])) for e in found]


@pytest.mark.parametrize("zone", ["America/New_York", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "Asia/Seoul"])
def test_a_feed_read_back_has_every_shift_at_its_instant(zone: str) -> None:
    layer = Layer("main", TURNS, (("kim",), ("lee",)), date(2026, 1, 1), turn_hours=12)
    roster = Roster("r", "근무표", "Roster", "", (), (), zone, "", "always", (), (layer,))
    made = shifts(roster, Ground(), NOW - timedelta(days=40), NOW + timedelta(days=5))
    people = {"kim": Person("kim", "김, 가람; \\n", "Kim"), "lee": Person("lee", "이나래", "Lee")}
    content = feed("모두", [(roster, s) for s in made], [(roster, NOW, NOW + timedelta(hours=1))], people, "ko", NOW)
    back = events(content)
    assert [(b, e) for b, e, _ in back[:-1]] == [(s.began_at, s.ended_at) for s in made]
    assert back[0][2].startswith(("김, 가람; \\n · 근무표", "이나래 · 근무표"))
    assert back[-1] == (NOW, NOW + timedelta(hours=1), "관제 공백 · 근무표")
    uids = [str(e["uid"]) for e in Calendar.from_ical(content).walk("VEVENT")]
    assert len(uids) == len(set(uids))
    assert max(len(line) for line in content.split(b"\r\n")) <= 75


def ics(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", *lines, "END:VCALENDAR", ""]).encode()


def event(*lines: str) -> tuple[str, ...]:
    return ("BEGIN:VEVENT", "UID:a", "DTSTAMP:20261101T000000Z", "SUMMARY:휴가", *lines, "END:VEVENT")


@pytest.mark.parametrize(
    ("lines", "began", "ended", "days"),
    [
        (("DTSTART;VALUE=DATE:20261123", "DTEND;VALUE=DATE:20261125"), "2026-11-22T15:00", "2026-11-24T15:00", 2),
        (("DTSTART;VALUE=DATE:20261123",), "2026-11-22T15:00", "2026-11-23T15:00", 1),
        (("DTSTART:20261123T000000Z", "DTEND:20261123T010000Z"), "2026-11-23T00:00", "2026-11-23T01:00", 0),
        (("DTSTART;TZID=Europe/Berlin:20261123T100000", "DURATION:PT2H"), "2026-11-23T09:00", "2026-11-23T11:00", 0),
        (("DTSTART:20261123T090000", "DTEND:20261123T180000"), "2026-11-23T00:00", "2026-11-23T09:00", 0),
    ],
)
def test_events_become_spans(lines: tuple[str, ...], began: str, ended: str, days: int) -> None:
    (entry,) = read_calendar(ics(*event(*lines)), "Asia/Seoul").entries
    assert entry.began_at == datetime.fromisoformat(began).replace(tzinfo=UTC)
    assert entry.ended_at == datetime.fromisoformat(ended).replace(tzinfo=UTC)
    assert (len(entry.days), entry.name) == (days, "휴가")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("DTSTART:20261123T090000Z", "DTEND:20261123T100000Z", "RRULE:FREQ=DAILY"), "repeats"),
        (("DTSTART:20261123T090000Z", "DTEND:20261122T100000Z"), "ends before it begins"),
        ((), "no beginning"),
        (("DTSTART;VALUE=DATE:20261123", "DTEND:20261125T000000Z"), "not of one kind"),
        (("DTSTART:yesterday",), "휴가"),
    ],
)
def test_what_is_not_taken_is_told(lines: tuple[str, ...], said: str) -> None:
    read = read_calendar(ics(*event(*lines)), "Asia/Seoul")
    assert not read.entries
    assert said in read.skipped[0]


def test_what_is_no_calendar_is_refused() -> None:
    for content in (b"", b"hello", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT"):
        with pytest.raises(UsageError, match="not an iCalendar file"):
            read_calendar(content, "Asia/Seoul")
    many = ics(*(line for _ in range(MOST_EVENTS + 1) for line in event("DTSTART;VALUE=DATE:20261123")))
    with pytest.raises(UsageError, match="5001 events"):
        read_calendar(many, "Asia/Seoul")


# ---------------------------------------------------------------- over HTTP


@pytest.fixture
def operator(stage: Stage) -> TestClient:
    stage.fastapi.include_router(feed_api.router(stage))
    return stage.program("noc", role="operator")


def test_an_address_is_the_secret_until_it_is_ended(stage: Stage, operator: TestClient) -> None:
    for kind, subject, count in (("roster", "noc", 107), ("person", "ada", 86), ("team", "noc", 107)):
        made = operator.post("/api/feeds", json={"kind": kind, "subject": subject, "language": "en"})
        assert made.status_code == 201
        path = made.json()["url"].removeprefix("https://bongsu.test")
        answer = stage.client().get(path)  # nobody is signed in
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        assert "example.org" not in answer.text, "how to reach people is not in it"
        assert len(events(answer.content)) == pytest.approx(count, abs=25)
        assert operator.delete(f"/api/feeds/{made.json()['id']}").status_code == 204
        assert stage.client().get(path).status_code == 404
    assert stage.client().get("/feeds/guess.ics").status_code == 404


def test_whose_calendars_one_may_make(stage: Stage, operator: TestClient) -> None:
    body = {"kind": "person", "subject": "kim"}
    assert stage.program("reader").post("/api/feeds", json=body).status_code == 403
    owner = stage.program("owner", role="operator", scope=Scope(frozenset({"owner"})))
    for kind, subject, status in (("person", "omar", 404), ("roster", "away", 404), ("person", "ada", 201)):
        assert owner.post("/api/feeds", json={"kind": kind, "subject": subject}).status_code == status
    assert [row["subject"] for row in owner.get("/api/feeds").json()["items"]] == ["ada"]
    assert operator.get("/api/feeds").json()["items"] == [], "of others only an administrator sees them"
    assert operator.delete("/api/feeds/1").status_code == 404


def test_absences_from_a_calendar_are_replaced_by_its_next_copy(stage: Stage, operator: TestClient) -> None:
    content = ics(*event("DTSTART;VALUE=DATE:20261123", "DTEND;VALUE=DATE:20261126"))
    for _ in range(2):
        answer = operator.put("/api/rosters/noc/absences/kim", content=content)
        assert answer.json() == {"taken": 1, "skipped": []}
    with stage.store.reading() as connection:
        (roster,) = [each for each in load_rosters(connection) if each.id == "noc"]
    assert [(o.out, o.instead, o.reason) for o in roster.overrides] == [("kim", "", "휴가")]
    # Kim's turn of the 24th, 09:00 to 09:00 in Seoul, is nobody's now, and their share of that of the 22nd.
    found = holes(roster, ground_of(stage.registry.fleet), NOW, NOW + timedelta(days=7))
    assert [(f"{b:%dT%H}", f"{e:%dT%H}") for b, e in found] == [("22T15", "23T00"), ("24T00", "25T00")]
    assert operator.put("/api/rosters/noc/absences/nobody", content=content).status_code == 404
    assert operator.put("/api/rosters/noc/absences/kim", content=b"no").status_code == 422
    assert stage.program("reader").put("/api/rosters/noc/absences/kim", content=content).status_code == 403


def test_days_off_from_a_calendar(stage: Stage, operator: TestClient) -> None:
    content = ics(*event("DTSTART;VALUE=DATE:20261124"), *event("DTSTART:20261125T000000Z", "DURATION:PT1H"))
    answer = operator.put("/api/rosters/here/days-off", content=content).json()
    assert (answer["taken"], len(answer["skipped"])) == (1, 1)
    with stage.store.reading() as connection:
        (roster,) = [each for each in load_rosters(connection) if each.id == "here"]
    assert roster.days_off == {date(2026, 11, 24)}
    made = shifts(roster, ground_of(stage.registry.fleet), NOW + timedelta(days=1), NOW + timedelta(days=4))
    assert [shift.began_at.day for shift in made] == [23, 25]
