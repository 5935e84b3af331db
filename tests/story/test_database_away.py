"""The database is away for an hour: what was acknowledged stays so, agents keep what they measure, and afterwards people hear
of what is wrong now, and of nothing else.

The whole collector in virtual time; PostgreSQL is really stopped and started, SQLite meets a disk that fails.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from postgres import postgresql_server
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from whole_collector import SteadyAgent, Whole, whole_collector

from collector.escalation.policy import SHIPPED
from collector.escalation.policy_apply import apply_escalation
from collector.incidents.incident import ACKNOWLEDGED, TRIGGERED

pytestmark = pytest.mark.slow
Away = Callable[[Whole], AbstractContextManager[None]]


@contextmanager
def failing(world: Whole, moment: str, why: Exception) -> Iterator[None]:
    def fail(_connection: object) -> None:
        raise why

    event.listen(world.app.store.engine, moment, fail)
    try:
        yield
    finally:
        event.remove(world.app.store.engine, moment, fail)


def without_room(world: Whole) -> AbstractContextManager[None]:
    """Reads go on, no commit comes through."""
    why = sqlite3.OperationalError("database or disk is full")
    return failing(world, "commit", OperationalError("COMMIT", {}, why))


def with_broken_disk(world: Whole) -> AbstractContextManager[None]:
    """Nothing can be read either."""
    return failing(world, "begin", OperationalError("BEGIN", {}, sqlite3.OperationalError("disk I/O error")))


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[tuple[str, Away]]:
    folder = Path(tempfile.mkdtemp(prefix="bongsu-pg-"))

    try:
        with postgresql_server(folder) as server:

            @contextmanager
            def stopped(_world: Whole) -> Iterator[None]:
                server.stop("fast")
                yield
                server.start()

            yield server.url, stopped
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("away", [without_room, with_broken_disk])
def test_sqlite_away(tmp_path: Path, away: Away, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)  # each job says at each turn that it failed
    with whole_collector(tmp_path) as world:
        an_hour(world, away)


@pytest.mark.postgres
def test_postgresql_stopped(tmp_path: Path, postgres: tuple[str, Away], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    url, away = postgres
    with whole_collector(tmp_path, url) as world:
        an_hour(world, away)


def an_hour(world: Whole, away: Away) -> None:
    with world.app.store.transaction() as connection:
        # Whoever answered could not say another word for the hour, and is not asked again for being silent.
        patient = (replace(policy, reack_seconds=2 * 3600) for policy in SHIPPED.policies)
        apply_escalation(connection, replace(SHIPPED, policies=tuple(patient)))
    world.play(5)
    assert world.incidents == []
    world.agents["abuja"].kill(cut_power=False)
    world.play(3)
    world.agents["cairo"].kill(cut_power=False)
    world.play(2.5)
    before = world.heard
    assert {(one.person, one.kind, one.incident) for one in before} == {("kim", "trigger", 1), ("kim", "trigger", 2)}
    link = world.link_of("kim", 1)
    assert world.ask("POST", urlsplit(link).path).status in (200, 303)

    with away(world):
        assert world.ask("POST", urlsplit(link).path).status == 503, "nobody is told that their answer was taken"
        world.play(10)
        assert world.ask("GET", "/readyz").status == 503
        world.agents["lima"].kill(cut_power=False)
        world.play(15)
        world.agents["lima"].boot()
        world.agents["santiago"].kill(cut_power=False)
        world.play(35)
        assert world.heard == before
        assert all(agent.spool.figures().records > 100 for agent in of(world, "nairobi", "brasilia"))

    world.play(1.5)
    assert world.ask("GET", "/readyz").status == 200
    world.play(6.5)
    assert all(agent.spool.figures().records < 5 for agent in of(world, "nairobi", "brasilia", "lima"))
    found = {one.site or one.reason: one for one in world.incidents if one.severity != "info"}
    assert set(found) == {"abuja", "cairo", "santiago", "TaskFails"}, "nothing is said of those who could not be heard"
    assert (found["abuja"].state, found["abuja"].acknowledged_by) == (ACKNOWLEDGED, "kim")
    assert {found[site].state for site in ("cairo", "santiago")} == {TRIGGERED}
    after = {(one.person, one.kind, one.incident) for one in world.heard[len(before) :]}
    assert ("kim", "trigger", found["santiago"].number) in after
    assert ("lee", "escalation", 2) in after, "whom nobody answered is called for on"
    assert {incident for _, _, incident in after} <= {2, found["santiago"].number, found["TaskFails"].number}
    assert len([one for one in after if one[2] == found["TaskFails"].number]) == 1, "one for all that failed"

    for site in ("abuja", "cairo", "santiago"):
        world.agents[site].boot()
    world.play(9)
    assert world.missing == [], "everything that was measured is here once"
    still = [(one.severity, one.title_ko) for one in world.incidents if one.is_open]
    assert [title for severity, title in still if severity == "critical"] == []


def of(world: Whole, *sites: str) -> list[SteadyAgent]:
    return [world.agents[site] for site in sites]
