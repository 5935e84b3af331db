"""The disaster board: what does not serve, how one gets by meanwhile, and when it is expected back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from test_pages import BROWSER, read
from world import World, make_world, plant, serving, trouble

from collector.access.passwords import hash_password
from collector.access.queries import add_person
from collector.agencies.outage_notes import OutageNote
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.web import systems_view
from collector.web.recovery_view import lacking

BOARD = "/systems?view=recovery"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = trouble(serving(plant(make_world(tmp_path_factory.mktemp("world")))))
    made.step()
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), base_url="http://127.0.0.1:8650") as made:
        yield made


def test_only_what_was_said_of_this_outage_is_expected() -> None:
    now = instant(1_785_474_309_000)
    note = OutageNote("portal", "use the counter", now + timedelta(hours=1), now, "lee")
    began_ms = int(now.timestamp() * 1000)
    assert note.expected_in(began_ms - 1) == now + timedelta(hours=1)
    assert note.expected_in(began_ms + 1) is None, "that was another outage"
    assert note.expected_in(None) is None


def test_the_most_important_and_the_longest_out_come_first(world: World) -> None:
    fleet = world.registry.fleet
    members = systems_view.members_of(fleet, world.live, world.standing)
    every = {
        name: systems_view.system_line(system, fleet, members, world.standing, EVERYTHING)
        for name, system in fleet.systems.items()
    }
    line = every["visa"]
    made = [
        replace(
            line,
            system=replace(line.system, id=name, grade=grade),
            verdict=replace(line.verdict, state=state, since_ms=ms),
        )
        for name, grade, state, ms in (
            ("a", 2, 4, 5),
            ("b", 1, 4, 9),
            ("c", 1, 2, 3),
            ("d", 1, 1, 1),
            ("e", 1, 3, 1),
            ("f", 1, 0, 1),
        )
    ]
    assert [one.line.system.id for one in lacking(made, {}, instant(10))] == ["c", "b", "a"]


def sign_in(client: TestClient, world: World) -> str:
    with world.store.transaction() as connection:
        at = instant(world.clock.wall_ms())
        add_person(connection, "op", hash_password("correct horse battery"), at, role="operator")
    form = {"username": "op", "password": "correct horse battery", "next": "/"}
    client.post("/login", data=form, headers={"origin": "http://127.0.0.1:8650"})
    page = read(client.get("/systems/visa", headers=BROWSER).text)
    return next(tag["value"] or "" for name, tag in page.tags if name == "input" and tag.get("name") == "csrf")


def test_what_people_say_of_an_outage_is_on_the_board(client: TestClient, world: World) -> None:
    assert "대체수단 적기" not in client.get(BOARD, headers=BROWSER).text, "who is not signed in is asked for nothing"
    csrf = sign_in(client, world)
    page = read(client.get(BOARD, headers=BROWSER).text)
    assert "미정" in page.text
    origin = {"origin": "http://127.0.0.1:8650"}
    sent = {"csrf": csrf, "workaround": "영사콜센터로 전화", "expected": "2026-07-31T13:00"}
    answer = client.post("/systems/visa/outage", data=sent, headers=origin, follow_redirects=False)
    assert answer.status_code == 303
    page = read(client.get(BOARD, headers=BROWSER).text)
    assert "영사콜센터로 전화" in page.text
    assert "예상 시각 지남" in page.text, "it is 14:05 by now"
    english = read(client.get(BOARD + "&lang=en", headers=BROWSER).text)
    assert "later than expected" in english.text
    assert client.post("/systems/visa/outage", data=sent | {"expected": "soon"}, headers=origin).status_code == 422
    assert client.post("/systems/nope/outage", data=sent, headers=origin).status_code == 404
