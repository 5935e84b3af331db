"""Pages of incidents: what they show to whom, what their forms do, and that looking answers nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert
from told_incidents import PASSWORD, TEST_TOKEN, TOKEN, tell
from world import World, make_world, plant, serving, trouble

from collector.access.audit import read_log
from collector.escalation.queries import add_timer
from collector.escalation.timer import STEP
from collector.incidents.queries import events_of, find, note_event
from collector.incidents.tables import incident_reach, incident_signals
from collector.response import Response
from collector.store.schema import instant
from collector.store.scope import EVERYTHING

OWN = {"Origin": "http://127.0.0.1:8650"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """For what is only looked at."""
    made = tell(trouble(serving(plant(make_world(tmp_path_factory.mktemp("told"))))))
    made.app()
    yield made
    made.store.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = tell(trouble(serving(plant(make_world(tmp_path)))))
    made.app()
    yield made
    made.store.close()


class Browser:
    """Somebody who signed in, or nobody; ``press`` sends a form of the page last seen."""

    def __init__(self, world: World, username: str = "") -> None:
        self.client = TestClient(world.fastapi, base_url="http://127.0.0.1:8650", follow_redirects=True)
        self.client.headers.update({"Accept": "text/html", **OWN})
        if username:
            answer = self.client.post("/login", data={"username": username, "password": PASSWORD})
            assert answer.status_code == 200

    def see(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, path
        return answer.text

    def press(self, path: str, page: str, status: int = 200, **fields: str) -> str:
        csrf = re.search(r'name="csrf" value="(\w+)"', page)
        data = fields | ({"csrf": csrf[1]} if csrf else {})
        answer = self.client.post(path, data=data)
        assert answer.status_code == status, answer.text[:400]
        return answer.text


def test_the_list_shows_what_waits_first_and_filters(told: World) -> None:
    browser = Browser(told, "garam")
    page = browser.see("/incidents")
    assert re.findall(r'href="/incidents/(\d)"', page) == ["1", "2", "3", "4"]
    assert page.count("아직 아무도 확인하지 않음") == 1, "nobody has to answer a digest"
    assert re.findall(r'action="/incidents/(\d)/acknowledge"', page) == ["1"], "answered from the list, too"
    assert "/acknowledge" not in Browser(told, "tenant").see("/incidents")
    assert re.findall(r'href="/incidents/(\d)"', browser.see("/incidents?severity=warning")) == ["2", "3"]
    assert re.findall(r'href="/incidents/(\d)"', browser.see("/incidents?state=closed")) == ["5"]
    assert re.findall(r'href="/incidents/(\d)"', browser.see("/incidents?state=all&before=3")) == ["2", "1"]
    assert "조건에 맞는 장애 건이 없습니다" in browser.see("/incidents?site=lima")
    assert "Nobody answered yet" in browser.see("/incidents?lang=en")


def test_places_show_what_is_open_there(told: World) -> None:
    browser = Browser(told, "garam")
    assert 'href="/incidents/1"' in browser.see("/sites/abuja"), "the hub's reaches it"
    assert 'href="/incidents/2"' in browser.see("/sites/dc-djn")
    assert 'href="/incidents/2"' in browser.see("/hosts/srv4.dc-djn")
    assert 'href="/incidents/' not in browser.see("/hosts/srv1.lima")
    assert 'data-incidents="critical"' in browser.see("/")


def test_one_page_says_what_why_how_far_and_who(told: World) -> None:
    page = Browser(told, "garam").see("/incidents/1")
    for said in ("거점의 회선이나 공통 구간이 의심됩니다", "함께 끊긴 사이트: 6 (mea)", "사증", "3등급", "남은 시간",
                 "실패하여 다음 채널로 보냄", "당직이지만 아직 부를 차례가 아님", "긴급 장애 건은 보류할 수 없습니다"):  # fmt: skip
        assert said in page, said
    assert "555-0" not in page, "no number of anybody"
    assert "주이집트대사관" in page


def test_a_tenant_sees_their_part_and_a_stranger_nothing(told: World) -> None:
    tenant = Browser(told, "tenant")
    page = tenant.see("/incidents?state=all")
    assert re.findall(r'href="/incidents/(\d)"', page) == ["5", "4", "3"]
    own = tenant.see("/incidents/3")
    assert "누가 왜 호출되었나" not in own
    assert "확인 (인지)</button>" not in own
    for path in ("/incidents/1", "/incidents/2", "/incidents/2/report/first", "/incidents/2/report/first.txt"):
        tenant.see(path, 404)
    tenant.press("/incidents/3/comment", own, 403, text="x")
    tenant.press("/incidents/2/acknowledge", own, 403)
    nobody = TestClient(told.fastapi, base_url="https://elsewhere.example", follow_redirects=False)
    for path in ("/incidents", "/incidents/1", "/incidents/1/report/first"):
        assert nobody.get(path).status_code == 401


def test_a_tenant_reads_what_reaches_them_and_answers_nothing_of_it(world: World) -> None:
    """A hub is nobody's: its incident reaches the tenant's sites and a neighbour's."""
    with world.store.transaction() as connection:
        rows = [{"incident": 1, "agency": "for", "site": "abuja"}, {"incident": 1, "agency": "nirs", "site": "dc-djn"}]
        connection.execute(insert(incident_reach), rows)
        there = {
            "incident": 1,
            "source": "rule",
            "severity": "critical",
            "first_at": told_at(world),
            "last_at": told_at(world),
        }
        words = {
            "labels": [["alertname", "HostNoData"], ["site", "dc-djn"]],
            "annotations": [["summary", "dc-djn is dark"]],
        }
        connection.execute(insert(incident_signals), {"key": "alert:aaa", **there, **words})
    tenant = Browser(world, "tenant")
    assert re.findall(r'href="/incidents/(\d)"', tenant.see("/incidents?state=all")) == ["5", "4", "3", "1"]
    assert 'href="/incidents/1"' in tenant.see("/sites/abuja")
    page = tenant.see("/incidents/1")
    for hidden in ("dc-djn", "누가 왜 호출되었나", "</textarea>"):
        assert hidden not in page, hidden
    assert "주나이지리아대사관" in page
    for form in ("", ".txt"):
        report = tenant.see(f"/incidents/1/report/first{form}")
        assert "dc-djn" not in report
    tenant.press("/incidents/1/acknowledge", tenant.see("/incidents/3"), 403)


def told_at(world: World) -> datetime:
    return instant(world.clock.wall_ms())


def test_a_report_names_who_was_called_to_those_who_may_know(world: World) -> None:
    with world.store.transaction() as connection:
        note_event(connection, 3, "paged", "", told_at(world), {"people": ["lee"]})
    assert "호출함: 이나래" in Browser(world, "garam").see("/incidents/3/report/interim.txt")
    theirs = Browser(world, "tenant").see("/incidents/3/report/interim.txt?lang=ko")
    assert "호출함" in theirs
    assert "호출함: " not in theirs


def test_answering_by_name_and_for_another(world: World) -> None:
    browser = Browser(world, "garam")
    with world.store.transaction() as connection:
        add_timer(connection, 1, STEP, told_at(world) + timedelta(minutes=4), 1)
    page = browser.see("/incidents/1")
    assert "다음 호출" in page
    assert "4분 뒤" in page
    assert "먼저 확인해야" in browser.press("/incidents/1/snooze", page, minutes="30")
    assert "반영했습니다" in browser.press("/incidents/1/acknowledge", page, **{"for": "lee"})
    assert "먼저 처리했습니다" in browser.press("/incidents/1/acknowledge", page)
    browser.press("/incidents/1/comment", page, text="통신사업자에 접수", is_action="true")
    browser.press("/incidents/1/assign", page, assignee="park")
    browser.press("/incidents/2/snooze", page, minutes="30")
    assert "다시 알림 보류 ~ 07-31 14:35" in browser.see("/incidents")
    browser.press("/incidents/1/resolve", page)
    assert "종결할 수 없습니다" in browser.press("/incidents/1/close", page), "alerts still hold"
    browser.press("/incidents/1/explain", page, cause="광케이블 절단", prevention="이중 경로")
    browser.press("/incidents/1/comment", page, 422, text=" ")
    final = browser.see("/incidents/1")
    assert "다음 호출" not in final
    for said in ("김가람", "대리 인지: 이나래", "통신사업자에 접수", "박다온"):
        assert said in final
    report = browser.see("/incidents/1/report/final.txt")
    for said in ("광케이블 절단", "이중 경로", "인지일시: 2026. 7. 31."):
        assert said in report, report
    with world.store.reading() as connection:
        found = find(connection, EVERYTHING, 1)
        assert found is not None
        assert (found.state, found.acknowledged_by, found.acknowledged_for) == ("resolved", "garam", "lee")
        done = [(row.action, row.actor) for row in read_log(connection, subject="1")]
    assert ("incident.acknowledge", "garam") in done
    assert ("export.report", "garam") in done


def test_a_team_is_called_in_and_two_incidents_become_one(world: World) -> None:
    browser = Browser(world, "garam")
    page = browser.see("/incidents/2")
    page = browser.press("/incidents/2/summon", page, team="network")
    assert "응소 0 / 소집 2" in page
    assert "회신 없음" in page
    assert '<b>비상소집</b> <span>김가람</span> <span class="quiet">네트워크팀</span>' in page
    assert "모두 이미 소집했습니다" in browser.press("/incidents/2/summon", page, team="network")
    browser.press("/incidents/2/summon", page, 422, team="nobody")
    assert "비상소집: 소집 2명, 응소 0명: 이나래 (회신 없음), 박다온 (회신 없음)" in browser.see(
        "/incidents/2/report/first.txt"
    )
    page = browser.press("/incidents/3/merge", page, into="2")
    assert "다른 장애 건에 합쳐짐" in page
    assert 'href="/incidents/2"' in page
    assert "진행 중인 장애 건끼리만" in browser.press("/incidents/3/merge", page, into="2")
    assert "다른 장애 건을 합침" in browser.see("/incidents/2")
    assert re.findall(r'href="/incidents/(\d)"', browser.see("/incidents")) == ["1", "2", "4"]
    page = browser.press("/incidents/3/split", browser.see("/incidents/3"))
    assert "다시 따로 다룸" in page
    assert 'action="/incidents/3/split"' not in page
    assert "되돌릴 수 없습니다" in browser.press("/incidents/3/split", page)
    assert "합쳤던 장애 건을 되돌림" in browser.see("/incidents/2")
    assert re.findall(r'href="/incidents/(\d)"', browser.see("/incidents")) == ["1", "2", "3", "4"]


def test_without_the_pages_own_token_nothing_is_done(world: World) -> None:
    browser = Browser(world, "garam")
    for action in (
        "acknowledge",
        "comment",
        "assign",
        "snooze",
        "explain",
        "resolve",
        "close",
        "merge",
        "split",
        "summon",
    ):
        answer = browser.client.post(
            f"/incidents/1/{action}", data={"text": "x", "minutes": "30", "into": "2", "team": "network"}
        )
        assert answer.status_code == 403, action


def test_looking_at_a_call_answers_nothing_and_pressing_does(world: World) -> None:
    scanner = TestClient(world.fastapi, base_url="http://127.0.0.1:8650")
    for _ in range(3):
        answer = scanner.get(f"/a/{TOKEN}")
        assert answer.status_code == 200
        assert "김가람 님께 보낸 호출" in answer.text
        assert scanner.head(f"/a/{TOKEN}").status_code in (200, 405)
    assert answer.headers["referrer-policy"] == "no-referrer"
    with world.store.reading() as connection:
        assert [event.kind for event in events_of(connection, 1)] == ["opened"]
    # As a messenger's own window sends it: no origin to speak of, and no cookie.
    done = scanner.post(f"/a/{TOKEN}", headers={"Origin": "null"})
    assert "이제 맡은 것으로 기록됩니다" in done.text
    again = scanner.post(f"/a/{TOKEN}")
    assert "이미 답이 있습니다" in again.text
    with world.store.reading() as connection:
        found = find(connection, EVERYTHING, 1)
        assert found is not None
        assert (found.state, found.acknowledged_by) == ("acknowledged", "kim")
        assert [event.data["way"] for event in events_of(connection, 1) if event.kind == "acknowledged"] == ["page"]
    assert "받은 것으로 기록했습니다" in scanner.post(f"/a/{TEST_TOKEN}").text
    for wrong in ("nothing", TOKEN[:-1], "x" * 500):
        assert scanner.get(f"/a/{wrong}").status_code == 404
        assert scanner.post(f"/a/{wrong}").status_code == 404


def test_a_handover_note_keeps_what_is_open(world: World) -> None:
    side = SimpleNamespace(_services=world)
    world.response = SimpleNamespace(open_incidents=lambda scope: Response.open_incidents(side, scope))  # type: ignore[arg-type]
    browser = Browser(world, "garam")
    page = browser.see("/oncall")
    page = browser.press("/oncall/room/handovers", page, note="다음 조가 통신사업자에 다시 전화")
    links = re.findall(r'<a href="/incidents/(\d)"><b>#\d</b></a>', page)
    assert links == ["1", "2", "3", "4"], "the gravest first, besides the sites that are not well"
    assert "인수인계" in page
    assert "다음 조가 통신사업자에 다시 전화" in browser.see("/situation.txt")
