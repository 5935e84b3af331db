"""What a site's own administrator announces and agrees on pages: two clicks, and nothing that is another's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from test_pages import BROWSER
from world import World, make_world, plant

from collector.access.passwords import hash_password
from collector.access.queries import add_person
from collector.store.schema import instant
from collector.store.scope import Scope
from collector.verdicts.standing import MAINTENANCE, OK

HERE = "http://127.0.0.1:8650"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = plant(make_world(tmp_path))
    made.step()
    yield made
    made.store.close()


class Person:
    def __init__(self, world: World, role: str, scope: Scope) -> None:
        with world.store.transaction() as connection:
            at = instant(world.clock.wall_ms())
            add_person(connection, "post", hash_password("correct horse battery"), at, role=role, scope=scope)
        self.client = TestClient(world.app(), base_url=HERE, follow_redirects=False)
        self.client.post(
            "/login", data={"username": "post", "password": "correct horse battery"}, headers={"origin": HERE}
        )

    def page(self, path: str) -> str:
        answer = self.client.get(path, headers=BROWSER)
        assert answer.status_code == 200
        return answer.text

    def send(self, path: str, **form: object) -> Response:
        found = re.search(r'name="csrf" value="([^"]+)"', self.page("/"))
        assert found is not None
        return self.client.post(path, data={"csrf": found[1], **form}, headers={**BROWSER, "origin": HERE})


def test_a_site_admin_announces_a_shutdown_and_ends_it(world: World) -> None:
    person = Person(world, "site_admin", Scope(frozenset({"for"}), frozenset({"lima"})))
    assert 'action="/sites/lima/shutdown"' in person.page("/sites/lima")
    answer = person.send("/sites/lima/shutdown", minutes=30)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sites/lima")
    world.step()
    found = world.standing.sites["lima"]
    assert (found.state, found.reason) == (MAINTENANCE, "planned_shutdown")
    assert "계획" in person.page("/sites/lima")
    (number,) = re.findall(r'action="/maintenance/(\d+)/ended"', person.page("/maintenance"))
    assert person.send(f"/maintenance/{number}/ended").status_code == 303
    world.step()
    assert world.standing.sites["lima"].state == OK
    assert person.send("/sites/tokyo/shutdown", minutes=30).status_code == 404
    assert person.send("/sites/lima/shutdown", minutes=0).status_code == 422


def test_agreed_work_by_the_form(world: World) -> None:
    person = Person(world, "site_admin", Scope(frozenset({"for"}), frozenset({"lima"})))
    work = {
        "title": "라우터 교체",
        "timezone": "America/Lima",
        "starts_local": "2030-01-07T18:00",
        "duration_minutes": 60,
    }
    assert person.send("/maintenance", **work, subjects="lima").status_code == 303
    listed = person.page("/maintenance")
    assert "라우터 교체" in listed
    (number,) = re.findall(r'action="/maintenance/(\d+)/told"', listed)
    assert person.send(f"/maintenance/{number}/told").status_code == 303
    assert f"/maintenance/{number}/told" not in person.page("/maintenance")
    assert person.send("/maintenance", **work, subjects="tokyo").status_code == 404
    assert person.send("/maintenance", **{**work, "starts_local": "soon"}, subjects="lima").status_code == 422


def test_a_reader_is_offered_nothing_and_may_nothing(world: World) -> None:
    person = Person(world, "tenant_viewer", Scope(frozenset({"for"})))
    assert "shutdown" not in person.page("/sites/lima")
    assert person.send("/sites/lima/shutdown", minutes=30).status_code == 403


def test_work_is_agreed_by_names_and_the_sites_own_clock(world: World) -> None:
    person = Person(world, "site_admin", Scope(frozenset({"for"}), frozenset({"lima"})))
    assert 'value="주페루대사관"' in person.page("/maintenance?at=lima"), "the form begins with the site one comes from"
    work = {"title": "전원 공사", "starts_local": "2030-01-07T10:00", "duration_minutes": 120}
    assert person.send("/maintenance", **work, subjects="Lima").status_code == 303
    assert "2030-01-07 10:00:00 America/Lima" in person.page("/maintenance")


def test_a_refused_form_comes_back_as_it_was_and_says_why(world: World) -> None:
    person = Person(world, "site_admin", Scope(frozenset({"for"}), frozenset({"lima"})))
    work = {"title": "전원 공사", "subjects": "Lima", "starts_local": "2030-01-07T10:00", "duration_minutes": 120}
    for wrong, status, said in (
        ({"subjects": "limaa"}, 404, "없는 이름: limaa"),
        ({"subjects": "tokyo"}, 404, "없는 이름: tokyo"),
        ({"timezone": "Lima"}, 422, "시간대가 아닙니다: Lima"),
        ({"starts_local": "soon"}, 422, "starts_local"),
        ({"duration_minutes": "0"}, 422, "duration_minutes"),
    ):
        answer = person.send("/maintenance", **{**work, **wrong})
        assert answer.status_code == status
        assert said in answer.text
        assert 'value="전원 공사"' in answer.text
    assert "도쿄" not in answer.text, "nothing of others is offered"
    assert "전원 공사" not in person.page("/maintenance")


def test_a_shutdown_is_announced_for_a_later_time_on_the_sites_page(world: World) -> None:
    person = Person(world, "site_admin", Scope(frozenset({"for"}), frozenset({"lima"})))
    answer = person.send("/sites/lima/shutdown", minutes=120, starts_local="2030-01-07T10:00")
    assert (answer.status_code, answer.headers["location"]) == (303, "/maintenance")
    listed = person.page("/maintenance")
    assert "2030-01-07 10:00:00 America/Lima" in listed
    assert "계획 정지" in listed
    assert "알리지 않음" not in listed, "who announces it knows it"
    assert person.send("/sites/lima/shutdown", minutes=120, starts_local="soon").status_code == 422


def test_work_on_a_hub_with_its_sites_or_without(world: World) -> None:
    person = Person(world, "operator", Scope())
    work = {"title": "거점 교체", "starts_local": "2030-01-07T10:00", "duration_minutes": 60}
    assert person.send("/maintenance", **work, subjects="hub:mea").status_code == 303
    page = person.page("/maintenance")
    assert 'href="/hubs/mea"' in page
    assert "거점만" in page
    assert "보이지 않을 수 있는 사이트: 6곳 (중동·아프리카)" in page
    assert "2030-01-07 10:00:00 Asia/Seoul" in page or "2030-01-07 10:00:00 KST" in page, "a hub has Korea's clock"
    assert person.send("/maintenance", **work, subjects="중동·아프리카", with_sites=True).status_code == 303
    page = person.page("/maintenance")
    assert "거점과 그 아래 사이트 모두" in page
    assert "알리지 않음: 주나이지리아대사관" in page
    numbers = re.findall(r'action="/maintenance/(\d+)/ended"', page)
    other = TestClient(world.fastapi, base_url=HERE, follow_redirects=False)
    with world.store.transaction() as connection:
        at = instant(world.clock.wall_ms())
        scope = Scope(frozenset({"for"}), frozenset({"abuja"}))
        add_person(connection, "abuja", hash_password("correct horse battery"), at, role="site_admin", scope=scope)
    other.post("/login", data={"username": "abuja", "password": "correct horse battery"}, headers={"origin": HERE})
    seen = other.get("/maintenance", headers=BROWSER).text
    assert "거점과 그 아래 사이트 모두" in seen
    assert not [n for n in numbers if f"/maintenance/{n}/ended" in seen], "it is not theirs to end"
