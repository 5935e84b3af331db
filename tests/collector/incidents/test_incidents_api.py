"""Incidents over HTTP: who sees which, who may act, and what a report says."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from stage import Stage, set_stage
from starlette.testclient import TestClient
from told_signals import START, Told, alert, verdict

from collector.incidents import api as incidents_api
from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.store.scope import Scope
from collector.verdicts.standing import Fact

OWNER, STRANGER = Scope(frozenset({"owner"})), Scope(frozenset({"stranger"}))
ROSTERS = """
[[people]]
id = "kim"
name_ko = "김가람"
login = "kim"
[[people]]
id = "lee"
name_ko = "이나래"
[[rosters]]
id = "room"
[[rosters.layers]]
name = "main"
crews = [["lee"], ["kim"]]
starts = 2026-11-16
"""
HERE = verdict("site:here", agency="owner", affected=(("host", "web.here"), ("system", "portal")), down=("portal",))


@pytest.fixture
def stage(told: Told, tmp_path: Path) -> Stage:
    """Sunday 10:00 in Seoul: lee is on duty."""
    made = set_stage(told.store, tmp_path)
    made.fastapi.include_router(incidents_api.router(made))
    made.person("kim", role="operator")
    with told.store.transaction() as connection:
        apply_rosters(connection, read_rosters(ROSTERS))
    told.at(0, HERE)
    told.until(40)
    at(made, told.now)
    return made


def at(stage: Stage, now: datetime) -> None:
    stage.clock.now = now


def operator(stage: Stage, name: str = "noc") -> TestClient:
    return stage.program(name, role="operator")


def test_who_sees_what(stage: Stage) -> None:
    assert [each["number"] for each in stage.program("a", scope=OWNER).get("/api/incidents").json()["items"]] == [1]
    stranger = stage.program("b", role="operator", scope=STRANGER)
    assert stranger.get("/api/incidents").json()["items"] == []
    for way in ("", "/acknowledge", "/resolve", "/report"):
        asked = stranger.post if way in ("/acknowledge", "/resolve") else stranger.get
        assert asked(f"/api/incidents/1{way}").status_code == 404, way
    assert stage.program("c").post("/api/incidents/1/acknowledge").status_code == 403


def test_a_tenant_reads_of_what_it_reaches_only_what_is_theirs(stage: Stage, told: Told) -> None:
    wide = (("site", "away"), ("host", "web.away"), ("host", "shared.here"), ("system", "mail"))
    theirs = alert("A", ("host", "shared.here"), labels=(("alertname", "A"), ("instance", "shared.here")))
    more = HERE._replace(affected=(*HERE.affected, *wide), evidence=(Fact("member", "web.away", "down"),))
    told.at(60, more, theirs)
    whole = stage.program("all").get("/api/incidents/1").json()
    own = stage.program("own", scope=OWNER).get("/api/incidents/1").json()
    assert "away" in str(whole["impact"])
    assert "shared.here" in str(whole["signals"])
    for part in ("away", "mail", "shared.here", "stranger"):
        assert part not in str(own), part
    assert own["impact"]["systems"] == [["portal", 1]]
    assert "away" not in str(stage.program("own2", scope=OWNER).get("/api/incidents").json())
    assert "away" not in stage.program("own3", scope=OWNER).get("/api/incidents/1/report?format=text").text


def test_a_tenant_reads_what_reaches_them_and_changes_only_what_is_theirs(stage: Stage, told: Told) -> None:
    told.at(60, HERE, verdict("hub:mea", affected=(("site", "there"), ("site", "away"), ("host", "web.away"))))
    tenant = stage.program("own", role="operator", scope=OWNER)
    assert [each["number"] for each in tenant.get("/api/incidents").json()["items"]] == [2, 1]
    hub = tenant.get("/api/incidents/2").json()
    assert (hub["impact"]["sites"], hub["impact"]["site_count"]) == (["there"], 1)
    assert tenant.post("/api/incidents/2/acknowledge").status_code == 404
    assert tenant.post("/api/incidents/2/comment", json={"text": "?"}).status_code == 404
    assert tenant.get("/api/incidents/2/report").status_code == 200
    at_site = Scope(frozenset({"stranger"}), frozenset({"away"}))
    assert [e["number"] for e in stage.program("s", scope=at_site).get("/api/incidents").json()["items"]] == [2]
    nobody = stage.program("n", scope=Scope(frozenset({"nobody"}))).get("/api/incidents").json()
    assert nobody["items"] == []


def test_only_somebody_on_duty_ends_the_calling_but_may_be_told_for(stage: Stage) -> None:
    client = operator(stage)
    refused = client.post("/api/incidents/1/acknowledge")
    assert (refused.status_code, refused.json()["code"]) == (409, "off_shift")
    assert "On duty: lee" in refused.json()["detail"]
    assert client.get("/api/incidents/1").json()["events"][-1]["kind"] == "answered_off_shift"
    assert client.post("/api/incidents/1/acknowledge", json={"for": "nobody"}).status_code == 422
    done = client.post("/api/incidents/1/acknowledge", json={"for": "lee"}).json()
    assert (done["state"], done["acknowledged_by"], done["acknowledged_for"]) == ("acknowledged", "token:noc", "lee")
    again = client.post("/api/incidents/1/acknowledge", json={"for": "lee"})
    assert (again.status_code, again.json()["code"]) == (409, "already")


def test_nobody_mutes_what_is_critical(stage: Stage) -> None:
    client = operator(stage)
    assert client.post("/api/incidents/1/snooze", json={"minutes": 30}).json()["code"] == "critical"
    client.post("/api/incidents/1/acknowledge", json={"for": "lee"})
    assert client.post("/api/incidents/1/snooze", json={"minutes": 30}).status_code == 200
    assert (
        client.post("/api/incidents/1/snooze", json={"minutes": 30, "until": "2026-11-22T03:00:00Z"}).status_code == 422
    )


def test_an_incident_from_hand_to_hand_to_its_report(stage: Stage, told: Told) -> None:
    client = operator(stage)
    client.post("/api/incidents/1/acknowledge", json={"for": "lee"})
    assert client.post("/api/incidents/1/assign", json={"to": "kim"}).json()["assignee"] == "kim"
    assert (
        client.post("/api/incidents/1/comment", json={"text": "위성 회선으로 전환", "is_action": True}).status_code
        == 200
    )
    assert client.post("/api/incidents/1/close").json()["code"] == "not_now"
    unfinished = client.get("/api/incidents/1/report?stage=final&format=text").text
    assert "■ 아직 끝나지 않음" in unfinished.splitlines()[2]
    told.at(3600)
    told.until(4000)
    at(stage, told.now)
    cause = {"cause": "정전", "prevention": "축전지 교체"}
    assert client.post("/api/incidents/1/explain", json=cause).status_code == 200
    assert client.post("/api/incidents/1/close").json()["state"] == "closed"
    text = client.get("/api/incidents/1/report?stage=final&format=text").text
    for part in (
        "[장애 건 결과 보고]",
        "- 발생일시: 2026. 11. 22. 10:00",
        "- 인지일시: 2026. 11. 22. 10:00",
        "- 조치일시",
        "- 복구일시: 2026. 11. 22. 11:00",
        "- 장애시간 (발생부터 복구까지): 1시간 0분",
        "- 장애조치 최대 허용시간: 2026. 11. 22. 12:00 (남은 시간 1시간 0분)",
        "1등급 1개",
        "token:noc (대리 인지: 이나래)",
        "위성 회선으로 전환",
        "정전",
        "축전지 교체",
    ):
        assert part in text, (part, text)
    assert "아직 끝나지 않음" not in text
    english = client.get("/api/incidents/1/report?stage=first&language=en&format=text&timezone=Africa/Lagos").text
    assert "- Occurred: 2026-11-22 02:00 WAT" in english
    assert "Root cause" not in english
    whole = client.get("/api/incidents/1").json()
    assert [each["kind"] for each in whole["events"]][-3:] == ["resolved", "explained", "closed"]
    assert whole["impact"]["grades"] == {"1": 1}


def test_what_went_before_at_its_site_is_named_both_ways(stage: Stage, told: Told) -> None:
    """Within the hour, at the same site, and to whoever may see both."""
    client, later = operator(stage), verdict("host:web.here", agency="shop", reason="silent", site="here")
    told.at(3000, HERE, verdict("host:far.away", agency="owner", site="away"), later)
    told.at(4000, HERE, later, verdict("host:db.here", agency="owner", site="here"))
    (related,) = client.get("/api/incidents/1").json()["related"]
    assert (related["number"], related["reason"]) == (3, "silent")
    assert [each["number"] for each in client.get("/api/incidents/3").json()["related"]] == [1, 4]
    assert client.get("/api/incidents/2").json()["related"] == []
    report = client.get("/api/incidents/3/report?format=text&language=en").text
    assert "At the same site within the hour" in report
    assert "#1: " in report
    assert "before it" in report
    assert "after it" in report
    mine = stage.program("mine", scope=OWNER).get("/api/incidents/1").json()
    assert mine["related"] == [], "what is another's is not named"


def test_similar_ones_of_the_past_are_shown(stage: Stage, told: Told) -> None:
    client = operator(stage)
    told.at(100)
    told.until(400)
    told.at(5000, HERE._replace(since_ms=HERE.since_ms + 5_000_000))
    (similar,) = client.get("/api/incidents/2").json()["similar"]
    assert (similar["number"], similar["is_same"]) == (1, True)
    page = client.get("/api/incidents?limit=1").json()
    assert ([each["number"] for each in page["items"]], page["next"]) == ([2], "2")
    assert [each["number"] for each in client.get("/api/incidents?before=2").json()["items"]] == [1]
    assert told.all()[0].occurred_at == START
