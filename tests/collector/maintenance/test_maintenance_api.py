"""Agreeing to work over the API: who may, what is warned about, and that it holds at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from stage import TOPOLOGY, Stage, set_stage

from collector.fleet.topology import read_topology
from collector.fleet.topology_apply import apply_topology
from collector.maintenance.api import router
from collector.maintenance.queries import Windows
from collector.store.engine import Store
from collector.store.scope import Scope

LINES = """
[[links]]
site = "here"
name = "main"
kind = "leased"
[[links]]
site = "away"
name = "main"
kind = "leased"
"""
WORK = {
    "title": "router",
    "subjects": [["site", "here"], ["system", "portal"]],
    "timezone": "Asia/Seoul",
    "starts_local": "2026-11-24T18:00",
    "duration_minutes": 120,
    "repeat": {"every": "week", "until": "2026-12-31"},
}


@pytest.fixture
def stage(store: Store, tmp_path: Path) -> Stage:
    made = set_stage(store, tmp_path)
    made.windows = Windows(store, lambda: made.registry.fleet)
    made.fastapi.include_router(router(made))
    return made


@pytest.fixture
def reached(stage: Stage) -> Stage:
    """With lines, and a site of another agency behind the same hub."""
    with stage.store.transaction() as connection:
        topology = TOPOLOGY.replace('timezone = "Asia/Dubai"', 'timezone = "Asia/Dubai"\nhub = "mea"')
        apply_topology(connection, read_topology(topology + LINES))
    stage.registry.refresh()
    return stage


def test_work_is_agreed_told_and_ended(stage: Stage) -> None:
    operator, viewer = stage.program("op", role="operator"), stage.program("looker")
    assert viewer.post("/api/maintenance", json=WORK).status_code == 403
    looked = operator.post("/api/maintenance?dry_run=true", json=WORK)
    assert looked.status_code == 201, looked.text
    assert [(w["code"], w["site"]) for w in looked.json()["warnings"]] == [
        ("business_hours", "here"),
        ("not_told", "here"),
        ("not_told", "there"),
    ]
    assert viewer.get("/api/maintenance").json() == {"items": [], "next": None}
    made = operator.post("/api/maintenance", json=WORK).json()
    assert made["next"][0] == {"began_at": "2026-11-24T09:00:00Z", "ended_at": "2026-11-24T11:00:00Z"}
    assert [row["id"] for row in viewer.get("/api/maintenance").json()["items"]] == [made["id"]]
    told = operator.post(f"/api/maintenance/{made['id']}/told").json()
    assert [w["code"] for w in told["warnings"]] == ["business_hours"]
    stage.clock.move(timedelta(days=2, hours=1, minutes=30))
    assert operator.get(f"/api/maintenance/{made['id']}").json()["is_active"]
    assert set(stage.windows.active(stage.clock.now)) == {("site", "here"), ("system", "portal")}
    assert operator.post(f"/api/maintenance/{made['id']}/end").json()["is_active"] is False
    assert stage.windows.active(stage.clock.now) == {}


def test_a_site_announces_its_own_shutdown(stage: Stage) -> None:
    own = stage.program("post", role="operator", scope=Scope(frozenset({"owner"}), frozenset({"here"})))
    made = own.post("/api/sites/here/shutdown", json={"minutes": 30})
    assert made.status_code == 201, made.text
    assert (made.json()["kind"], made.json()["is_active"], made.json()["warnings"][1:]) == ("shutdown", True, [])
    assert list(stage.windows.active(stage.clock.now)) == [("site", "here")]
    assert own.post("/api/sites/there/shutdown", json={}).status_code == 404
    assert stage.program("looker").post("/api/sites/here/shutdown", json={}).status_code == 403


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"timezone": "Mars/Base"}, 422),
        ({"subjects": [["site", "nowhere"]]}, 404),
        ({"subjects": [["planet", "here"]]}, 422),
        ({"subjects": []}, 422),
        ({"duration_minutes": 0}, 422),
        ({"repeat": {"every": "century"}}, 422),
    ],
)
def test_what_cannot_be_agreed(stage: Stage, change: dict[str, object], status: int) -> None:
    assert stage.program("op", role="operator").post("/api/maintenance", json=WORK | change).status_code == status


def test_a_stranger_sees_and_covers_nothing_of_others(stage: Stage) -> None:
    made = stage.program("op", role="operator").post("/api/maintenance", json=WORK).json()
    stranger = stage.program("stranger", role="operator", scope=Scope(frozenset({"stranger"})))
    assert stranger.get("/api/maintenance").json()["items"] == []
    assert stranger.get(f"/api/maintenance/{made['id']}").status_code == 404
    assert stranger.post(f"/api/maintenance/{made['id']}/end").status_code == 404
    assert stranger.post("/api/maintenance", json=WORK).status_code == 404


NIGHT = {"title": "upgrade", "timezone": "Asia/Seoul", "starts_local": "2026-11-24T18:00", "duration_minutes": 120}


def agreed(stage: Stage, *subjects: tuple[str, str]) -> tuple[list[tuple[str, str, int]], set[tuple[str, str]]]:
    """Warnings as (code, site or hub, sites), and what is covered while it lasts."""
    operator = stage.program("".join("-".join(each) for each in subjects).replace("/", "-"), role="operator")
    made = operator.post("/api/maintenance", json=NIGHT | {"subjects": subjects})
    assert made.status_code == 201, made.text
    warned = [(each["code"], each["site"] or each["hub"], each["sites"]) for each in made.json()["warnings"]]
    return warned, set(stage.windows.active(stage.clock.now + timedelta(days=2, hours=1, minutes=30)))


def test_a_hub_alone_its_whole_region_or_one_line(reached: Stage) -> None:
    assert agreed(reached, ("hub", "mea")) == ([("unseen", "mea", 2)], {("hub", "mea")})
    line = {("hub", "mea"), ("link", "here/main")}
    assert agreed(reached, ("link", "here/main")) == ([("business_hours", "here", 0), ("not_told", "here", 0)], line)
    warned, covered = agreed(reached, ("region", "mea"))
    assert warned == [(code, site, 0) for site in ("away", "here") for code in ("business_hours", "not_told")]
    assert covered == {*line, ("site", "here"), ("site", "away")}


def test_a_window_of_a_hub_is_whose_all_its_sites_are(reached: Stage) -> None:
    owner = reached.program("owner", role="operator", scope=Scope(frozenset({"owner"})))
    for kind in ("hub", "region"):
        assert owner.post("/api/maintenance", json=NIGHT | {"subjects": [[kind, "mea"]]}).status_code == 404
    assert owner.post("/api/maintenance", json=NIGHT | {"subjects": [["link", "here/main"]]}).status_code == 201
    assert owner.post("/api/maintenance", json=NIGHT | {"subjects": [["link", "away/main"]]}).status_code == 404
    all_of_them = reached.program("noc", role="operator")
    made = all_of_them.post("/api/maintenance", json=NIGHT | {"subjects": [["region", "mea"]]}).json()
    seen = owner.get(f"/api/maintenance/{made['id']}").json()
    assert {each["site"] for each in seen["warnings"]} == {"here"}, (
        "whoever it touches sees it, and of it what is theirs"
    )
    for what in ("end", "told"):
        assert owner.post(f"/api/maintenance/{made['id']}/{what}").status_code == 403, "and may not call it off"
    assert all_of_them.post(f"/api/maintenance/{made['id']}/end").status_code == 200
