"""Looks are left out where nothing happened; what incidents become is the same as if each second had been looked at."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from told_signals import START, Told, alert, verdict

from collector.escalation.policy import SHIPPED
from collector.incidents.ending_queries import resolve
from collector.incidents.queries import acknowledge
from collector.store.engine import Store

PLAN = replace(SHIPPED, settle_seconds=20, storm_per_minute=4, storm_calm_seconds=30, reopen_seconds=60)
HOST = verdict("host:web.here", due=10, severity="warning")
FULL = alert("DiskFull", ("alert", "a"))
MANY = [alert("Busy", ("alert", f"n{n}")) for n in range(6)]
STORY = {
    0: [HOST],
    12: [HOST, FULL],
    20: [HOST, FULL._replace(severity="critical")],
    60: [FULL._replace(severity="critical")],
    70: [HOST._replace(since_ms=HOST.since_ms + 70_000)],
    75: [],
    85: MANY,
    100: [],
}
BY_HAND: dict[int, Callable[[Told], None]] = {
    40: lambda told: _do(told, acknowledge),
    90: lambda told: _do(told, resolve),
}


@pytest.mark.slow
def test_it_ends_as_if_every_second_had_been_looked_at(sqlite_template: Path, tmp_path: Path) -> None:
    assert _ended(sqlite_template, tmp_path / "still.db", looks=False) == _ended(
        sqlite_template, tmp_path / "looks.db", looks=True
    )


def test_a_quiet_second_is_one_small_query(told: Told) -> None:
    told.at(0, HOST)
    told.until(25, by=1)
    asked: list[str] = []
    event.listen(told.store.engine, "before_cursor_execute", lambda _c, _x, statement, *_: asked.append(statement))
    told.job.step(told.now + timedelta(seconds=1))
    assert len(asked) == 1
    with told.store.transaction() as connection:
        assert acknowledge(connection, 1, "kim", told.now)
    asked.clear()
    told.job.step(told.now + timedelta(seconds=2))
    assert len(asked) > 3


def _ended(template: Path, file: Path, *, looks: bool) -> object:
    shutil.copy(template, file)
    told = Told(Store(f"sqlite:///{file}"), PLAN)
    for second in range(125):
        if looks:
            told.restart()
        if second in BY_HAND:
            BY_HAND[second](told)
        told.now = START + timedelta(seconds=second)
        told.signals = list(STORY.get(second, told.signals))
        told.job.step(told.now)
        told.send()
    found = told.all()
    events = [told.events(each.number) for each in found]
    told.store.close()
    assert len(found) == 3
    return found, events, told.paged


def _do(told: Told, how: Callable[..., bool]) -> None:
    with told.store.transaction() as connection:
        assert how(connection, 1 if how is acknowledge else told.all()[-1].number, "kim", told.now)
