"""The process dies at every named point, and at every write: each page leaves at least once, under one key, and none is lost."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from paging_stage import Dead, PagingStage

from collector.pages.delivery import LEASE
from collector.store.engine import Store

POINTS = ("escalation step", "after escalation step", "after claim", "after send before mark")


@pytest.fixture
def stage(store: Store) -> PagingStage:
    return PagingStage(store)


def lives_on(stage: PagingStage, minutes: float) -> int:
    """Time with a process that is started again wherever it dies; how often it did."""
    end, deaths = stage.now + timedelta(minutes=minutes), 0
    while stage.now < end:
        try:
            stage.tick()
        except Dead:
            deaths += 1
            stage.restart()
        stage.now += timedelta(seconds=10)
    return deaths


@pytest.mark.parametrize("point", POINTS)
def test_a_death_at_a_point_loses_no_page(stage: PagingStage, point: str) -> None:
    stage.open()
    stage.dies_at = point
    with pytest.raises(Dead):
        stage.tick()
    taken = len(stage.senders["email"].taken)
    assert taken == (1 if point == "after send before mark" else 0)
    stage.dies_at = ""
    stage.restart()
    stage.tick()
    stage.now += LEASE + timedelta(seconds=1)
    stage.tick()
    got = stage.senders["email"].taken
    assert len(got) == 1 + taken
    assert {(one.person, one.key, one.link) for one in got} == {("kim", got[0].key, got[0].link)}, "known as the same"
    assert stage.said("sms") == []


@pytest.fixture
def sqlite_stage(sqlite_template: Path, tmp_path: Path) -> Iterator[PagingStage]:
    path = tmp_path / "one.db"
    shutil.copy(sqlite_template, path)
    store = Store(f"sqlite:///{path}")
    yield PagingStage(store)
    store.close()


def test_a_single_process_takes_up_at_once_what_its_dead_self_held(sqlite_stage: PagingStage) -> None:
    stage = sqlite_stage
    stage.open()
    stage.dies_at = "after claim"
    with pytest.raises(Dead):
        stage.tick()
    stage.dies_at = ""
    stage.restart()
    stage.deliveries.start()
    stage.deliveries.wake()
    stage.deliveries.stop()
    assert stage.said() == [("kim", "trigger")]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_any_number_of_deaths_anywhere(sqlite_stage: PagingStage, seed: int) -> None:
    stage = sqlite_stage
    chance = random.Random(seed)

    def point(_name: str) -> None:
        if chance.random() < 0.25:
            raise Dead

    stage.point = point  # type: ignore[method-assign]
    stage.restart()
    opened = [stage.open(site=chance.choice(("here", "there"))) for _ in range(4)]
    deaths = lives_on(stage, 12)
    stage.point = lambda _name: None  # type: ignore[method-assign]
    stage.restart()
    lives_on(stage, 4)
    assert deaths > 5
    for number in opened:
        got = {one.key for taker in stage.senders.values() for one in taker.taken if one.incident == number}
        rows = stage.rows(number)
        assert {row.page_key for row in rows if row.state == "sent"} <= got, "nothing is called sent that was not"
        assert got <= {row.page_key for row in rows}, "nothing was sent that no row knows"
        told = {one.person for taker in stage.senders.values() for one in taker.taken if one.incident == number}
        assert told == {"kim", "lee", "boss"}, f"seed {seed}: everybody whose turn came"
        assert all(row.state in ("sent", "superseded") for row in rows)
