"""One calm message a day to whoever is on duty, about what called nobody; by their own clock, once, and none where there is nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from paging_stage import SECRET, PagingStage
from sqlalchemy import delete, insert

from collector.escalation.policy import Policy
from collector.escalation.timer import DIGEST
from collector.incidents.tables import incident_signals
from collector.pages.desk import Ways
from collector.pages.page import Route
from collector.pages.summary import calm_ways, span_due
from collector.pages.summary_job import SummaryJob
from collector.store.engine import Store

CALM = Policy("info")


@pytest.fixture
def stage(sqlite_template: Path, tmp_path: Path) -> Iterator[PagingStage]:
    shutil.copy(sqlite_template, tmp_path / "s.db")
    store = Store(f"sqlite:///{tmp_path}/s.db")
    yield PagingStage(store)
    store.close()


def job_of(stage: PagingStage, clock: str = "09:00") -> SummaryJob:
    ways = Ways(frozenset(stage.senders), SECRET, "https://bongsu.test")
    return SummaryJob(stage.store, stage.registry, ways, clock)


def day_of(stage: PagingStage, job: SummaryJob, hours: float) -> None:
    """Time goes on, and the jobs look every ten minutes."""
    end = stage.now + timedelta(hours=hours)
    while stage.now < end:
        job.step(stage.now)
        stage.tick()
        stage.now += timedelta(minutes=10)


def test_it_is_told_once_by_each_ones_own_clock(stage: PagingStage) -> None:
    job = job_of(stage)
    first = stage.open("info", policy=CALM)
    warning = stage.open("warning", policy=CALM)
    stage.resolve(first)
    day_of(stage, job, 15.5)  # until 08:30 in Seoul on Monday
    assert stage.said() == []
    second = stage.open("info", site="there", policy=CALM)
    day_of(stage, job, 1)
    assert [(one.person, one.kind) for one in stage.senders["email"].taken] == [("kim", "summary"), ("park", "summary")]
    mail = stage.senders["email"].taken[0]
    assert mail.subject == "[요약] 정보 장애 건 2, 2026-11-23"
    for said in (f"#{first}", f"#{second}", "복구 17:00", "진행 중", "아직 진행 중: 1", "Asia/Seoul"):
        assert said in mail.text, said
    assert f"#{warning}" not in mail.text
    assert mail.link == "", "no answer is wanted"
    day_of(stage, job_of(stage), 0.3)  # a new process within the hour
    assert len(stage.said()) == 2
    day_of(stage, job, 7.5)
    assert stage.said()[2:] == [("lee", "summary")], "09:00 in Lagos, by mail though a text message comes first"
    assert "Nothing is urgent" in stage.senders["email"].taken[2].text
    assert stage.said("sms") == []
    day_of(stage, job, 48)
    assert stage.said()[3:] == [], "nothing new, nothing told"


def test_it_can_be_switched_off(stage: PagingStage) -> None:
    stage.open("info", policy=CALM)
    day_of(stage, job_of(stage, ""), 30)
    assert stage.said() == []


def test_only_ways_that_do_not_ring() -> None:
    ways = [Route("sms", "1"), Route("mattermost", "2"), Route("email", "3"), Route("phone", "4")]
    assert calm_ways(ways, frozenset({"sms", "phone"})) == [Route("email", "3"), Route("mattermost", "2")]


@pytest.mark.parametrize(
    ("now", "from_at"),
    [
        (datetime(2026, 11, 22, 0, 0, tzinfo=UTC), datetime(2026, 11, 21, 0, 0, tzinfo=UTC)),
        (datetime(2026, 11, 22, 0, 59, tzinfo=UTC), datetime(2026, 11, 21, 0, 0, tzinfo=UTC)),
        (datetime(2026, 11, 22, 1, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 21, 23, 59, tzinfo=UTC), None),
    ],
)
def test_when_it_is_due(now: datetime, from_at: datetime | None) -> None:
    span = span_due("09:00", "Asia/Seoul", now)
    assert (span.from_at if span else None) == from_at


def test_a_day_of_23_hours_is_told_whole() -> None:
    span = span_due("09:00", "Europe/Berlin", datetime(2026, 3, 29, 7, 0, tzinfo=UTC))
    assert span is not None
    assert span.to_at - span.from_at == timedelta(hours=23)


def test_a_digest_lists_what_came_and_went(stage: PagingStage) -> None:
    number = stage.open("info", policy=CALM, is_digest=True, title_ko="끊긴 동안 발생하고 끝난 이벤트", reason="digest")
    at = stage.now - timedelta(hours=3)
    rows = [
        {
            "incident": number, "key": f"alert:{n}", "source": "rule", "severity": "warning", "first_at": at + timedelta(minutes=n),
            "last_at": stage.now, "ended_at": at + timedelta(minutes=n + 7),
            "labels": [["alertname", "UpsOnBattery"], ["instance", f"srv{n}.here"]],
            "annotations": [["summary", "On battery"], ["summary_ko", "UPS 축전지로 운전"]],
        }
        for n in range(33)
    ]  # fmt: skip
    with stage.store.transaction() as connection:
        connection.execute(delete(incident_signals))
        connection.execute(insert(incident_signals), rows)
    stage.timer(number, DIGEST)
    stage.run(1)
    (mail,) = stage.senders["email"].taken
    assert mail.kind == "digest"
    assert "- 11-22 14:00–14:07 srv0.here UPS 축전지로 운전" in mail.text
    assert "srv29.here" in mail.text
    assert "srv30.here" not in mail.text
    assert "그 밖에 3건" in mail.text
