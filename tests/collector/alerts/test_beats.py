"""Heartbeats: their courses in a table of minutes, and calls over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from small_alerting import Alerting

from collector.alerts import beat_api
from collector.alerts.beat import (
    FAIL,
    START,
    SUCCESS,
    BadSchedule,
    Beat,
    check_schedule,
    excused,
    heard,
    paused,
    resumed,
    silent,
)
from collector.alerts.beat_job import BeatJob
from collector.alerts.queries import note_alive
from collector.store.scope import Scope

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BEAT = Beat("backup", "", "", "", "", "", "warning", 3600, "", "Asia/Seoul", 600, T0, "kim")


def at(minute: float) -> datetime:
    return T0 + timedelta(minutes=minute)


def course(*steps: tuple[float, str]) -> list[str]:
    """(minute, what happens) -> the status right after, with the minute of the alert where one is due."""
    beat, seen = BEAT, []
    for minute, what in steps:
        now = at(minute)
        if what in (SUCCESS, START, FAIL):
            beat = heard(beat, what, now)
        elif what == "look":
            beat = silent(beat, now) if beat.alert_after is not None and beat.alert_after <= now else beat
        else:
            beat = {"pause": paused, "resume": resumed}[what](beat, now)
        due = "" if beat.alert_after is None else f" {(beat.alert_after - T0) / timedelta(minutes=1):g}"
        seen.append(beat.status(now) + due)
    return seen


@pytest.mark.parametrize(
    ("steps", "seen"),
    [
        ([(500, "look")], ["new"]),
        ([(0, SUCCESS), (65, "look"), (70, "look"), (90, SUCCESS)], ["up 70", "late 70", "down", "up 160"]),
        ([(0, SUCCESS), (50, START), (55, SUCCESS)], ["up 70", "up 60", "up 125"]),
        ([(0, SUCCESS), (50, START), (61, "look"), (62, START)], ["up 70", "up 60", "down", "down"]),
        ([(0, SUCCESS), (60, FAIL), (200, "look"), (201, SUCCESS)], ["up 70", "down", "down", "up 271"]),
        ([(0, FAIL), (1, FAIL), (2, SUCCESS)], ["down", "down", "up 72"]),
        ([(0, SUCCESS), (5, "pause"), (500, "look"), (501, SUCCESS), (502, "resume")],
         ["up 70", "paused", "paused", "paused", "up 572"]),
        ([(0, SUCCESS), (80, "look"), (81, "pause"), (82, "resume")], ["up 70", "down", "paused", "up 152"]),
    ],
)  # fmt: skip
def test_course(steps: list[tuple[float, str]], seen: list[str]) -> None:
    assert course(*steps) == seen


def test_an_outage_begins_when_its_grace_was_over_and_lasts_until_it_is_heard() -> None:
    down = silent(heard(BEAT, SUCCESS, at(0)), at(75))
    assert (down.down_at, down.recovered_at) == (at(70), None)
    assert heard(down, FAIL, at(80)).down_at == at(70), "still the same outage"
    assert heard(down, SUCCESS, at(80)).recovered_at == at(80)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "due"),
    [
        ("0 3 * * *", "Asia/Seoul", "2026-11-22T08:00", "2026-11-22T18:00"),
        ("*/15 * * * *", "UTC", "2026-11-22T08:01", "2026-11-22T08:15"),
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00", "2026-03-08T07:00"),  # the hour that is not there
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00", "2026-11-01T05:30"),  # the hour that is twice
        ("0 9 * * 1", "Africa/Lagos", "2026-11-22T08:00", "2026-11-23T08:00"),
    ],
)
def test_cron_reads_the_wall_clock_of_its_zone(cron: str, zone: str, after: str, due: str) -> None:
    beat = replace(BEAT, period_seconds=0, cron=cron, timezone=zone)
    began = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert beat.next_due(began) == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert ZoneInfo(zone)


@pytest.mark.parametrize(
    ("period", "cron"), [(0, ""), (60, "* * * * *"), (0, "61 * * * *"), (0, "0 0 31 2 *"), (0, "x")]
)
def test_a_schedule_that_is_none(period: int, cron: str) -> None:
    with pytest.raises(BadSchedule):
        check_schedule(period, cron)


@pytest.mark.parametrize(
    ("away_from", "now", "is_excused"),
    [(40, 50, False), (50, 61, True), (62, 63, True), (65, 90, True), (71, 90, False), (None, 65, True)],
    ids=["not due yet", "became due", "while late", "its end too", "silent before", "never ran"],
)
def test_silence_while_nobody_listened_excuses(away_from: int | None, now: int, is_excused: bool) -> None:
    beat = heard(BEAT, SUCCESS, at(0))
    found = excused(beat, None if away_from is None else at(away_from), at(now))
    assert (found is not None) is is_excused
    if found is not None:
        assert found.status(at(now)) == "unsure"
        assert found.alert_after == at(now + 70)


def test_calls_over_http(alerting: Alerting) -> None:
    stage, clock = alerting.stage, alerting.stage.clock
    stage.fastapi.include_router(beat_api.router(stage))
    job = BeatJob(stage.store, stage.registry)
    caller, tool = alerting.client, stage.client()
    made = caller.post(
        "/api/beats", json={"id": "backup", "period_seconds": 3600, "host": "web.here", "severity": "critical"}
    )
    assert made.status_code == 201, made.text
    path = made.json()["url"].removeprefix("https://bongsu.test")
    assert (made.json()["agency"], made.json()["site"], made.json()["status"]) == ("owner", "here", "new")
    assert caller.post("/api/beats", json={"id": "backup", "period_seconds": 60}).status_code == 409
    assert tool.get(path).text == "OK\n"
    clock.move(timedelta(minutes=71))
    job.step(clock.now)
    (alert,) = job.alerts(clock.now)
    assert (alert.name, alert.source, alert.severity) == ("BeatDown", "beat", "critical")
    assert (alert.subject, alert.agency, alert.ended_at_ms) == (("host", "web.here"), "owner", None)
    assert tool.post(f"{path}/0", content=b"ok at last").status_code == 200
    job.step(clock.now)
    assert [one.ended_at_ms for one in job.alerts(clock.now)] == [clock.wall_ms()]
    tool.post(f"{path}/3", content=b"disk full\0")
    shown = caller.get("/api/beats/backup").json()
    assert (shown["status"], shown["exit_code"], shown["last_text"]) == ("down", 3, "disk full")
    stranger = stage.program("stranger", role="noc_operator", scope=Scope(frozenset({"stranger"})))
    assert stranger.get("/api/beats").json()["items"] == []
    assert stranger.delete("/api/beats/backup").status_code == 404
    assert stranger.post("/api/beats", json={"id": "x", "period_seconds": 60, "site": "here"}).status_code == 404
    assert caller.post("/api/beats/backup/pause").json()["status"] == "paused"
    url = caller.post("/api/beats/backup/key").json()["url"]
    assert tool.get(path).status_code == 404
    assert tool.get(url).status_code == 200
    assert tool.get(f"{url}/256").status_code == 400
    assert caller.delete("/api/beats/backup").status_code == 204
    assert tool.get(url).status_code == 404


def test_a_restart_pages_for_no_beat(alerting: Alerting) -> None:
    stage, clock = alerting.stage, alerting.stage.clock
    stage.fastapi.include_router(beat_api.router(stage))
    url = alerting.client.post("/api/beats", json={"id": "job", "period_seconds": 600, "grace_seconds": 60}).json()[
        "url"
    ]
    stage.client().get(url)
    clock.move(timedelta(minutes=9))
    with stage.store.transaction() as connection:
        note_alive(connection, clock.now)
    clock.move(timedelta(minutes=5))  # it called at minute 10, and nobody was here
    job = BeatJob(stage.store, stage.registry)
    job.restore(clock.now)
    job.step(clock.now)
    assert list(job.alerts(clock.now)) == []
    assert alerting.client.get("/api/beats/job").json()["status"] == "unsure"
    clock.move(timedelta(minutes=11))
    job.step(clock.now)
    assert [one.name for one in job.alerts(clock.now)] == ["BeatDown"], "now it is silent in earnest"
