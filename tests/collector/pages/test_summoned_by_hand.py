"""A team called in by somebody's own decision: who is called, who comes, and what happens where nobody does."""

from __future__ import annotations

import pytest
from paging_stage import PagingStage

from collector.escalation.queries import summoned
from collector.incidents.queries import find
from collector.incidents.silence_job import act_on_silence
from collector.incidents.summons_queries import call_in
from collector.pages.answer import answer, find_answer
from collector.people.person import Team
from collector.people.queries import whole_book
from collector.store.engine import Store
from collector.store.scope import EVERYTHING

TEAM = Team("network", "네트워크팀", "Network team", members=("park", "boss", "gone"))


@pytest.fixture
def stage(store: Store) -> PagingStage:
    return PagingStage(store)


def call(stage: PagingStage, number: int) -> bool:
    with stage.store.transaction() as connection:
        incident = find(connection, EVERYTHING, number)
        assert incident is not None
        return call_in(connection, incident, TEAM, whole_book(connection), "kim", stage.now)


def test_whoever_has_it_calls_others_in_and_hears_that_nobody_comes(stage: PagingStage) -> None:
    number = stage.open()
    stage.run(1)
    stage.acknowledge(number)
    assert call(stage, number)
    assert not call(stage, number), "each once"
    stage.run(1)
    calls = [one for one in stage.senders["email"].taken if one.kind == "summons"]
    assert [one.person for one in calls] == ["park", "boss"], "also who has the day off: it was decided"
    assert all("비상소집" in one.subject and one.link for one in calls)
    before = len(stage.said())
    stage.run(11)
    act_on_silence(stage.store, stage.now)
    stage.run(1)
    with stage.store.reading() as connection:
        found = find(connection, EVERYTHING, number)
    assert found is not None
    assert found.state == "triggered"
    assert ("kim", "trigger") in stage.said()[before:] or ("kim", "escalation") in stage.said()[before:]


def test_one_who_comes_is_enough(stage: PagingStage) -> None:
    number = stage.open("warning")
    stage.run(1)
    stage.acknowledge(number)
    assert call(stage, number)
    stage.run(1)
    page = next(one for one in stage.senders["email"].taken if one.person == "park")
    with stage.store.transaction() as connection:
        found = find_answer(connection, page.link.rpartition("/")[2], stage.now)
        assert found is not None
        assert answer(connection, found, stage.now, "page", stage.registry.fleet, comes=True).outcome == "replied"
    stage.run(12, by_seconds=60)
    act_on_silence(stage.store, stage.now)
    with stage.store.reading() as connection:
        after = find(connection, EVERYTHING, number)
        replies = {one.person: one.reply for one in summoned(connection, number)}
    assert after is not None
    assert after.state == "acknowledged"
    assert replies == {"park": "coming", "boss": ""}
