"""Holes are told once each, a day ahead and when they begin, and stand in the collector's own metrics."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from stage import Stage

from collector.rosters.job import RosterJob
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.telemetry_rosters import RosterTelemetry


def test_holes_are_told_and_measured(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    registry = stage.telemetry.registry
    job = RosterJob(stage.store, stage.registry, RosterTelemetry(registry))
    sunday = stage.clock.now  # 09:00 in Lagos; the office opens on Monday
    opening = sunday + timedelta(hours=24)

    def value(name: str, roster: str) -> float | None:
        return registry.get_sample_value(name, {"roster": roster})

    assert job.step(sunday) == opening, "it looks again when the hole ends"
    assert value("bongsu_roster_uncovered", "here") == 1
    assert value("bongsu_roster_next_hole_timestamp_seconds", "here") == sunday.timestamp()
    assert value("bongsu_roster_uncovered", "noc") == 0
    assert value("bongsu_roster_next_hole_timestamp_seconds", "noc") is None
    assert value("bongsu_roster_uncovered", "away") == 0, "nobody must be on duty there"
    assert [record.getMessage() for record in caplog.records] == ["nobody is on duty"]
    job.step(sunday + timedelta(minutes=5))
    assert len(caplog.records) == 1, "once"
    closing = opening + timedelta(hours=9)
    assert job.step(opening) == closing
    assert value("bongsu_roster_uncovered", "here") == 0
    assert [record.getMessage() for record in caplog.records][1:] == ["nobody will be on duty"]
    job.step(closing)
    assert [record.getMessage() for record in caplog.records][2:] == ["nobody is on duty"]
    with stage.store.transaction() as connection:
        apply_rosters(connection, read_rosters("[[people]]\nid = 'kim'"))
    assert job.step(closing) is None
    assert value("bongsu_roster_uncovered", "here") is None
