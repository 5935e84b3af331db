"""The job border, on the real scheduler: steps run, failures stay where they are, and everything is counted."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from agent.link.clock import SystemClock
from collector.jobs import Job, Jobs, table
from collector.telemetry import Telemetry

PATIENCE = 20.0


class HandClock:
    def __init__(self) -> None:
        self.now_ms = 1_790_000_000_000

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic(self) -> float:
        return self.now_ms / 1000


def shown(telemetry: Telemetry) -> dict[str, float]:
    lines = telemetry.text().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_a_run_is_measured() -> None:
    clock, telemetry, seen = HandClock(), Telemetry("1"), []

    def step(now: datetime) -> None:
        seen.append(now)
        clock.now_ms += 2_500

    jobs = Jobs([Job("tidy", 60, step)], clock, telemetry)
    assert shown(telemetry)['bongsu_job_runs_total{result="ok",task="tidy"}'] == 0
    assert 'bongsu_job_last_success_timestamp_seconds{task="tidy"}' not in shown(telemetry)
    assert jobs.run("tidy") is None
    assert seen == [datetime.fromtimestamp(1_790_000_000, UTC)]
    found = shown(telemetry)
    assert found['bongsu_job_runs_total{result="ok",task="tidy"}'] == 1
    assert found['bongsu_job_seconds_sum{task="tidy"}'] == 2.5
    assert found['bongsu_job_last_success_timestamp_seconds{task="tidy"}'] == 1_790_000_002.5


def test_a_failure_is_logged_counted_and_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    def step(_now: datetime) -> None:
        raise RuntimeError("the disk is full")

    telemetry = Telemetry("1")
    assert Jobs([Job("tidy", 60, step)], HandClock(), telemetry).run("tidy") is None
    found = shown(telemetry)
    assert found['bongsu_job_runs_total{result="failed",task="tidy"}'] == 1
    assert 'bongsu_job_last_success_timestamp_seconds{task="tidy"}' not in found
    (record,) = caplog.records
    assert record.__dict__["task"] == "tidy"
    assert "the disk is full" in caplog.text


def test_all_jobs_begin_at_once_and_a_broken_one_stops_nobody() -> None:
    good, again = threading.Event(), threading.Event()

    def broken(_now: datetime) -> None:
        raise RuntimeError

    def fine(_now: datetime) -> None:
        (again if good.is_set() else good).set()

    telemetry = Telemetry("1")
    jobs = Jobs([Job("broken", 0.05, broken), Job("fine", 0.05, fine)], SystemClock(), telemetry)
    jobs.start()
    try:
        assert good.wait(PATIENCE)
        assert again.wait(PATIENCE)
    finally:
        jobs.stop()
    found = shown(telemetry)
    assert found['bongsu_job_runs_total{result="failed",task="broken"}'] >= 1
    assert found['bongsu_job_runs_total{result="ok",task="fine"}'] >= 2
    jobs.stop()  # twice does no harm


def test_a_job_that_wants_to_run_sooner_does() -> None:
    runs: list[datetime] = []
    enough = threading.Event()

    def step(now: datetime) -> datetime | None:
        runs.append(now)
        if len(runs) < 3:
            return now + timedelta(milliseconds=20)
        enough.set()
        return now + timedelta(days=1)

    jobs = Jobs([Job("eager", 3600, step)], SystemClock(), Telemetry("1"))
    jobs.start()
    try:
        assert enough.wait(PATIENCE)
    finally:
        jobs.stop()
    assert len(runs) == 3


def test_a_job_never_runs_twice_at_once_and_the_turn_it_missed_is_counted() -> None:
    inside, let_go, overlaps = threading.Event(), threading.Event(), []
    running = threading.Lock()
    skipped = threading.Event()
    telemetry = Telemetry("1")
    count = telemetry.job_skipped

    def noticed(task: str) -> None:
        count(task)
        skipped.set()

    def step(_now: datetime) -> None:
        overlaps.append(not running.acquire(blocking=False))
        inside.set()
        let_go.wait(PATIENCE)
        running.release()

    telemetry.job_skipped = noticed  # type: ignore[method-assign]
    jobs = Jobs([Job("slow", 0.05, step)], SystemClock(), telemetry)
    jobs.start()
    try:
        assert inside.wait(PATIENCE)
        assert skipped.wait(PATIENCE)
    finally:
        let_go.set()
        jobs.stop()
    assert not any(overlaps)
    assert shown(telemetry)['bongsu_job_runs_total{result="skipped",task="slow"}'] >= 1


def test_the_table_names_each_job_once() -> None:
    class Nothing:
        def step(self, now: datetime) -> datetime | None:
            return None

    nothing = Nothing()
    jobs = table(nothing, nothing, nothing, nothing, Job("more", 5, nothing.step))
    names = [job.name for job in jobs]
    assert names == ["registry", "verdicts", "history_chunks", "retention", "more"]
    assert Jobs(jobs, HandClock(), Telemetry("1")).names == tuple(names)
