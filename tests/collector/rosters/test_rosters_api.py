"""Rosters over HTTP: who is on duty, who would be called, who may see and change what."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update
from stage import PASSWORD, Stage
from starlette.testclient import TestClient

from collector.pages import who_api
from collector.people import api as people_api
from collector.people.tables import people_contacts
from collector.rosters import api as rosters_api
from collector.settings_channels import Channel
from collector.store.scope import Scope
from collector.verdicts.standing import HostStanding, SiteStanding, Standing
from collector.web.pages import oncall
from collector.web.routes import install

OWNER, STRANGER = Scope(frozenset({"owner"})), Scope(frozenset({"stranger"}))
BROWSER = {"accept": "text/html", "accept-language": "ko", "origin": "https://bongsu.test"}


@pytest.fixture
def stage(stage: Stage) -> Stage:
    for noun in (people_api, rosters_api, who_api, oncall):
        stage.fastapi.include_router(noun.router(stage))
    stage.standing = Standing(
        sites={"here": SiteStanding(4, 5, "power", None), "there": SiteStanding(0, 5, "reporting", None)},
        hosts={
            "web.here": HostStanding(2, 5, "silent", None),
            "shared.here": HostStanding(3, 5, "checks_failing", None),
        },
    )
    install(stage.fastapi, stage)
    return stage


def ids(answer: dict[str, object]) -> list[str]:
    return [row["id"] for row in answer["items"]]  # type: ignore[index, attr-defined]


def test_addresses_are_for_who_must_reach_people(stage: Stage) -> None:
    (row,) = [p for p in stage.program("noc", role="operator").get("/api/people").json()["items"] if p["id"] == "kim"]
    assert [each["address"] for each in row["contacts"]] == ["kim@example.org", "+82-2-555-0001"]
    assert {each["verified_at"] for each in row["contacts"]} == {None}
    for row in stage.program("reader").get("/api/people").json()["items"]:
        assert row["contacts"] is row["quiet_hours"] is row["login"] is None
    owner = stage.program("own", role="operator", scope=OWNER).get("/api/people").json()
    assert [p["id"] for p in owner["items"]] == ["ada", "kim", "lee"]
    assert ids(stage.program("strange", scope=STRANGER).get("/api/people").json()) == ["kim", "lee", "omar"]
    assert stage.program("x").get("/api/teams").json()["items"][0]["members"] == ["kim", "lee"]
    assert ids(stage.program("y").get("/api/people?limit=2").json()) == ["ada", "kim"]


def on_duty(rosters: list[dict[str, Any]]) -> list[tuple[str, list[str], bool]]:
    return [(row["roster"], [person["id"] for person in row["on_duty"]], row["is_hole"]) for row in rosters]


def test_who_would_be_called(stage: Stage) -> None:
    with stage.store.transaction() as connection:
        connection.execute(update(people_contacts).values(verified_at=stage.clock.now))
    stage.settings = replace(stage.settings, channels=(Channel("phone", "webhook", {}, {}),))
    client = stage.program("reader")
    body = client.get("/api/who?site=here&at=2026-11-23T10:00").json()  # Monday, Lagos
    assert (body["at"], body["policy"], body["repeat_seconds"]) == ("2026-11-23T09:00:00Z", "critical", 900)
    assert on_duty(body["rosters"]) == [("here", ["ada"], False), ("noc", ["lee"], False)]
    first = body["turns"][0]["people"]
    assert [(p["id"], p["why"]) for p in first] == [("ada", "on_duty"), ("lee", "on_duty"), ("kim", "fallback")]
    assert {p["channels"] for p in first} == {p["trouble"] for p in first} == {None}, "not for every reader to know"
    night = client.get("/api/who?site=here&at=2026-11-22T18:00Z").json()["rosters"]
    assert on_duty(night) == [("here", [], True), ("noc", ["kim"], False)]
    assert night[1]["on_duty"][0]["is_quiet"] is None
    operator = stage.program("noc", role="operator")
    night = operator.get("/api/who?site=here&at=2026-11-22T18:00Z").json()["rosters"]
    assert night[1]["on_duty"][0]["is_quiet"] is True, "03:00 in Seoul"
    assert [person["id"] for person in night[1]["fallback"]] == ["lee"], "who is on duty stands in for nobody"
    told = operator.get("/api/who?site=here&at=2026-11-23T10:00").json()["turns"][0]["people"]
    assert [(p["id"], p["channels"], p["trouble"]) for p in told] == [
        ("ada", [], "has no address"),
        ("lee", ["phone"], ""),
        ("kim", ["phone"], ""),
    ]
    calm = client.get("/api/who?site=here&severity=info").json()
    assert (calm["severity"], calm["policy"], calm["turns"]) == ("info", "info", [])
    assert client.get("/api/who?site=here&severity=grave").status_code == 422
    assert client.get("/api/who?site=nowhere").status_code == 404
    assert client.get("/api/who?site=here&at=soon").status_code == 422
    assert stage.program("own", scope=OWNER).get("/api/who?site=away").status_code == 404
    assert len(stage.program("strange", scope=STRANGER).get("/api/who?site=away").json()["rosters"]) == 2


def test_each_sees_the_rosters_for_their_sites(stage: Stage) -> None:
    assert [r["roster"] for r in stage.program("a").get("/api/rosters").json()["items"]] == ["away", "here", "noc"]
    own = stage.program("own", role="operator", scope=OWNER)
    assert [r["roster"] for r in own.get("/api/rosters").json()["items"]] == ["here", "noc"]
    assert own.get("/api/rosters/away").status_code == 404
    there = stage.program("there", scope=Scope(None, frozenset({"there"})))
    assert [r["roster"] for r in there.get("/api/rosters").json()["items"]] == ["away", "noc"]
    body = own.get("/api/rosters/here?from=2026-11-23T00:00&to=2026-11-24T00:00").json()
    assert [(s["began_at"], s["people"]) for s in body["shifts"]] == [("2026-11-23T08:00:00Z", ["ada"])]
    assert len(body["holes"]) == 2
    assert own.get("/api/rosters/here?from=2026-11-23&to=2027-11-23").status_code == 422


def test_overrides_change_who_is_called_and_can_be_cancelled(stage: Stage) -> None:
    client = stage.program("noc", role="operator")
    body = {"out": "lee", "instead": "ada", "began": "2026-11-23T12:00", "ended": "2026-11-23T18:00", "reason": "대직"}
    number = client.post("/api/rosters/noc/overrides", json=body).json()["id"]
    assert on_duty(client.get("/api/who?site=there&at=2026-11-23T13:00").json()["rosters"])[0][1] == ["ada"]
    assert client.get("/api/rosters/noc").json()["overrides"][0]["created_by"] == "token:noc"
    for change, status in (
        ({"out": "nobody"}, 422),
        ({"out": "", "instead": ""}, 422),
        ({"out": "ada"}, 422),
        ({"ended": "2026-11-23T12:00"}, 422),
        ({"ended": "2029-11-23T12:00"}, 422),
        ({"layer": "night"}, 422),
        ({"began": "noon"}, 422),
    ):
        assert client.post("/api/rosters/noc/overrides", json=body | change).status_code == status, change
    own = stage.program("own", role="operator", scope=OWNER)
    assert own.post("/api/rosters/noc/overrides", json=body).status_code == 403, "seen, but the centre's"
    assert own.post("/api/rosters/away/overrides", json=body).status_code == 404
    assert stage.program("reader").post("/api/rosters/noc/overrides", json=body).status_code == 403
    assert own.delete(f"/api/rosters/noc/overrides/{number}").status_code == 403
    assert client.delete(f"/api/rosters/noc/overrides/{number}").status_code == 204
    assert client.delete(f"/api/rosters/noc/overrides/{number}").status_code == 404
    assert on_duty(client.get("/api/who?site=there&at=2026-11-23T13:00").json()["rosters"])[0][1] == ["lee"]
    stage.is_hub = True
    assert client.post("/api/rosters/noc/overrides", json=body).status_code == 409


def test_a_handover_keeps_what_was_failing_and_is_received_once(stage: Stage) -> None:
    client = stage.program("noc", role="operator")
    number = client.post("/api/rosters/here/handovers", json={"note": "발전기 시험 중"}).json()["id"]
    (note,) = client.get("/api/rosters/here/handovers").json()["items"]
    assert [(row[0], row[1], row[2]) for row in note["failing"]] == [
        ("site", "here", 4),
        ("host", "shared.here", 3),
        ("host", "web.here", 2),
    ]
    assert (note["from_people"], note["to_people"], note["changes_at"]) == ([], ["ada"], "2026-11-23T08:00:00Z")
    path = f"/api/rosters/here/handovers/{number}/received"
    assert [client.post(path).status_code for _ in range(2)] == [204, 404]
    assert client.post("/api/rosters/here/handovers", json={"note": "  "}).status_code == 422
    assert client.get("/api/rosters/here/handovers").json()["items"][0]["received_by"] == "token:noc"


# ---------------------------------------------------------------- the page


def signed_in(stage: Stage) -> tuple[TestClient, str]:
    client = stage.client(**BROWSER)
    client.post("/login", data={"username": "kim", "password": PASSWORD})
    (csrf, *_) = re.findall(r'name="csrf" value="([^"]+)"', client.get("/oncall").text)
    return client, csrf


def test_the_page_tells_now_next_holes_and_whom_one_would_call(stage: Stage) -> None:
    client, _ = signed_in(stage)
    text = client.get("/oncall?site=here&at=2026-11-22T19:00").text
    for word in (
        "지금 관제 공백입니다",
        "김가람",
        "앞으로 14일",
        "+82-2-555-0001",
        "방해 금지 시간",
        "미검증",
        "Africa/Lagos",
    ):
        assert word in text, word
    reader = stage.program("reader")
    english = reader.get("/oncall?site=here", headers={"accept": "text/html", "accept-language": "en"}).text
    assert "Nobody on duty now" in english
    assert "+82-2-555-0001" not in english
    assert '<form method="post"' not in english
    assert "시각이 아닙니다" in client.get("/oncall?site=here&at=noon").text


def test_a_stranger_finds_only_theirs_on_the_page(stage: Stage) -> None:
    text = stage.program("own", scope=OWNER).get("/oncall", headers=BROWSER).text
    assert 'id="roster-here"' in text
    assert "roster-away" not in text
    assert "Omar" not in text


def test_forms_of_the_page_do_what_they_say(stage: Stage) -> None:
    client, csrf = signed_in(stage)
    form = {"csrf": csrf, "out": "kim", "instead": "lee", "began": "2026-11-22T16:00", "ended": "2026-11-22T20:00"}
    answer = client.post("/oncall/noc/overrides", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/oncall#roster-noc")
    assert client.post("/oncall/noc/overrides", data=form | {"csrf": "x"}).status_code == 403
    assert client.post("/oncall/noc/overrides", data=form | {"ended": "2026-11-22T15:00"}).status_code == 422
    text = client.get("/oncall").text
    (cancel,) = re.findall(r'action="(/oncall/noc/overrides/\d+/cancel)"', text)
    assert client.post(cancel, data={"csrf": csrf}).status_code == 303
    assert client.post("/oncall/noc/handovers", data={"csrf": csrf, "note": "특이사항 <없음>"}).status_code == 303
    text = client.get("/oncall").text
    assert "특이사항 &lt;없음&gt;" in text
    (receive,) = re.findall(r'action="(/oncall/noc/handovers/\d+/received)"', text)
    assert client.post(receive, data={"csrf": csrf}).status_code == 303
    assert "인수: kim" in client.get("/oncall").text
    text = client.post("/oncall/noc/calendar", data={"csrf": csrf}).text
    assert re.search(r"<code>https://bongsu.test/feeds/[0-9a-f]{64}\.ics</code>", text)
