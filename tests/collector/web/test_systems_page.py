"""``/systems``: what is broken of which grade, why, and what stands on it; each agency sees its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert
from test_pages import BROWSER, check_page, read, sign_in
from world import World, make_world, plant, serving, trouble

from collector.fleet.registry import bump_version
from collector.fleet.tables import hosts
from collector.store.scope import EVERYTHING, Scope
from collector.web import systems_view


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = trouble(serving(plant(make_world(tmp_path_factory.mktemp("world")))))
    with made.store.transaction() as connection:
        row = {"id": "gw9.lima", "name": "gw9", "site": "lima", "agency": "for", "managed_by": "file"}
        connection.execute(insert(hosts), {**row, "agent_id": None})
        bump_version(connection)
    made.registry.refresh()
    made.step()
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    with TestClient(world.app(), base_url="http://127.0.0.1:8650") as made:
        yield made


def lines_of(world: World, scope: Scope = EVERYTHING) -> dict[str, systems_view.SystemLine]:
    fleet, live, standing = world.registry.fleet, world.live, world.standing
    members = systems_view.members_of(fleet, live, standing)
    return {
        system.id: systems_view.system_line(system, fleet, members, standing, scope)
        for system in fleet.systems.values()
    }


@pytest.mark.parametrize("language", ["ko", "en"])
def test_both_pages_in_both_languages(client: TestClient, language: str) -> None:
    for path in ("/systems", "/systems?grade=1&q=login", "/systems/portal", "/systems/visa", "/systems/login"):
        check_page(client, path, language)


def test_members_stand_as_their_verdict_says(world: World) -> None:
    lines = lines_of(world)
    (portal,) = lines["portal"].groups
    assert [(member.name, member.kind, member.state) for member in portal.members] == [
        ("srv3.dc-djn", "host", 3),
        ("srv2.dc-djn/disk_space", "check", 4),
    ]
    assert (portal.serving, portal.state, lines["portal"].verdict.state) == (1, 4, 4)
    assert lines["portal"].verdict.cause == "host:srv2.dc-djn"
    assert (lines["login"].groups[0].serving, lines["login"].groups[0].state) == (2, 0)
    assert lines["visa"].verdict.state == 2  # nobody knows of abuja's
    assert [(line.grade, line.serving, line.total) for line in systems_view.grade_lines(lines.values())] == [
        (1, 1, 2),
        (3, 0, 1),
    ]


def test_the_list_says_what_is_broken_and_why(client: TestClient) -> None:
    text = client.get("/systems", headers={**BROWSER, "accept-language": "en"}).text
    assert text.index("Portal") < text.index("One Pass") < text.index("Visa"), "by grade, the worst first"
    page = read(text)
    assert "/hosts/srv2.dc-djn" in page.values("a", "href")
    assert "Operations Service" in page.text
    assert "Foreign Information Office" in page.text, "both owners of the interface"
    assert "/hosts/gw9.lima" in page.values("a", "href"), "registered, and nobody watches it"
    board = read(client.get("/", headers={**BROWSER, "accept-language": "en"}).text)
    assert "/systems#unmonitored" in board.values("a", "href")
    assert "Registered but not monitored hosts 1" in " ".join(board.text.split())
    only = read(client.get("/systems?grade=3", headers=BROWSER).text)
    assert "/systems/visa" in only.values("a", "href")
    assert "/systems/portal" not in only.values("a", "href")
    one = read(client.get("/systems/login", headers={**BROWSER, "accept-language": "en"}).text)
    assert {"/systems/portal", "/systems/visa"} <= set(one.values("a", "href")), "what stands on it"


def test_an_agency_sees_its_own(tmp_path: Path) -> None:
    world = serving(plant(make_world(tmp_path)))
    world.step()
    client = sign_in(world, Scope(agencies=frozenset({"for"})))
    found = set(read(client.get("/systems", headers=BROWSER).text).values("a", "href"))
    assert "/systems/visa" in found
    assert "/systems/portal" not in found
    assert client.get("/systems/portal", headers=BROWSER).status_code == 404
    assert client.get("/systems/nope", headers=BROWSER).status_code == 404
    one = client.get("/systems/visa", headers={**BROWSER, "accept-language": "en"})
    assert one.status_code == 200
    assert "/systems/login" not in read(one.text).values("a", "href")
    assert "Login hand-over" in one.text, "the interface has two owners"
    world.store.close()
