"""From a silent agent to an incident, its recovery and a restart, in the whole collector with time in the test's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from centre import exchange
from sender import Sender, request
from small_fleet import enrolled
from stage import PUBLIC, HandClock

from agent.link.clock import SystemChance
from collector.app import App, build
from collector.cli.init import initialise
from collector.escalation.queries import pending
from collector.incidents.incident import Incident
from collector.incidents.queries import list_incidents
from collector.settings import Settings
from collector.store.scope import EVERYTHING

JOBS = ("registry", "verdicts", "alerts", "incidents")


class Living:
    """A collector that looks every fifteen seconds, and one agent that may report."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.settings = replace(Settings(data_dir=folder), server=PUBLIC)
        initialise(self.settings, self.clock.now, SystemChance(), password="a rather long password")
        self.start()
        self.agent: Sender = enrolled(self.app.store)

    def start(self) -> None:
        self.app: App = build(self.settings, self.clock)
        self.app.read_back()
        self.app.log.start()

    def stop(self) -> None:
        self.app.log.save_checkpoint()
        self.app.log.stop()
        self.app.store.close()

    def live(self, seconds: int, *, reports: bool) -> None:
        for _ in range(0, seconds, 15):
            self.clock.move(timedelta(seconds=15))
            if reports:
                body = request(self.agent.report(self.clock.wall_ms()))
                status, _, _ = asyncio.run(exchange(self.app.intake.envelopes, body))
                assert status == 200
            for job in JOBS:
                self.app.jobs.run(job)

    @property
    def incidents(self) -> list[Incident]:
        with self.app.store.reading() as connection:
            return list_incidents(connection, EVERYTHING)[::-1]


@pytest.fixture
def living(tmp_path: Path) -> Iterator[Living]:
    made = Living(tmp_path / "data")
    yield made
    made.stop()


@pytest.mark.slow
def test_from_silence_to_recovery_over_a_restart(living: Living) -> None:
    living.live(300, reports=True)
    assert living.incidents == []
    silent_from = living.clock.now
    living.live(75, reports=False)
    (found,) = living.incidents
    assert (found.state, found.subject_kind, found.severity) == ("triggered", "site", "critical")
    assert found.occurred_at <= silent_from
    with living.app.store.reading() as connection:
        (step,) = [timer for timer in pending(connection, found.number) if timer.kind == "step"]
    assert step.due_at - silent_from <= timedelta(seconds=90)
    living.stop()
    living.start()
    living.live(240, reports=False)
    (after,) = living.incidents
    assert (after.number, after.state, after.returns, after.recovered_at) == (found.number, "triggered", 0, None)
    living.live(300, reports=True)
    assert [each.state for each in living.incidents] == ["closed"]
