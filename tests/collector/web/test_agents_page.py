"""The list of agents: what is wrong with whom, by which order, and with which key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert
from test_pages import BROWSER, read
from world import World, make_world, plant, trouble

from collector.fleet.tables import agent_keys
from collector.store.schema import instant
from collector.web import agents_view, site_view
from collector.web.agents_view import Asked

NOW = instant(1_785_474_309_000)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = trouble(plant(make_world(tmp_path_factory.mktemp("world"))))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), base_url="http://127.0.0.1:8650") as made:
        yield made


def test_a_key_says_since_when_it_is_bound_and_renewed() -> None:
    first, second = (1, b"a" * 32, NOW - timedelta(days=9)), (2, b"b" * 32, NOW)
    assert agents_view.newest_key([]) is None
    alone = agents_view.newest_key([first])
    assert alone is not None
    assert (alone.number, alone.bound_at, alone.renewed_at) == (1, first[2], None)
    renewed = agents_view.newest_key([second, first])
    assert renewed is not None
    assert (renewed.number, renewed.bound_at, renewed.renewed_at) == (2, first[2], NOW)
    assert renewed.fingerprint.replace(" ", "") == hashlib.sha256(b"b" * 32).hexdigest()[:32]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (Asked(), ["srv1.abuja", "srv1.nairobi"]),
        (Asked(text="대광명"), []),
        (Asked(text="SRV1.LIMA"), ["srv1.lima"]),
        (Asked(trouble="clock"), []),
        (Asked(text="srv1.a", sort="host"), ["srv1.abuja"]),
        (Asked(sort="host"), ["srv1.abuja", "srv1.beijing"]),
        (Asked(sort="host", is_reversed=True), ["srv1.washington", "srv1.warsaw"]),
        (Asked(version="9.9"), []),
    ],
)
def test_what_is_asked_is_shown_in_order(world: World, asked: Asked, shown: list[str]) -> None:
    fleet = world.registry.fleet
    lines = [site_view.agent_line(agent, world.live, world.standing) for agent in fleet.agents.values()]
    found = [line.agent.host for line in agents_view.chosen(lines, {}, fleet.sites, asked)]
    assert sorted(found[:2]) == sorted(shown) if not asked.sort else found[:2] == shown


def test_the_page_says_it(client: TestClient, world: World) -> None:
    agent = next(iter(world.registry.fleet.agents.values()))
    with world.store.transaction() as connection:
        for number, key in ((1, b"j" * 32), (7, b"k" * 32)):
            row = {"agent_id": agent.id, "key_no": number, "public_key": key, "created_at": NOW}
            connection.execute(insert(agent_keys).values(row))
    page = read(client.get("/agents?sort=key&down=1", headers=BROWSER).text)
    assert agents_view.fingerprint(b"k" * 32) in page.text
    assert "7번째 키로 교체" in page.text
    assert "aria-sort" in {name for _, found in page.tags for name in found}
    assert "조건에 맞는 에이전트가 없습니다" in client.get("/agents?q=nowhere", headers=BROWSER).text
    assert client.get("/agents?sort=rm&start=-4&trouble=x", headers=BROWSER).status_code == 200
