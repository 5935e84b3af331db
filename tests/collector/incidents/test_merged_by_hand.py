"""What people know to be one: merged over the API, and the looks of the job that follow keep it so."""

from __future__ import annotations

from pathlib import Path

import pytest
from stage import Stage, set_stage
from told_signals import Told, alert, ended, verdict

from collector.incidents import api as incidents_api
from collector.store.engine import Store
from collector.store.scope import Scope

DISK = alert("DiskFull", ("host", "web.here"), severity="critical")
MAIL = alert("MailQueue", ("host", "web.there"))
GRAVE = verdict("site:away", since=5, agency="stranger", down=("portal",))


@pytest.fixture
def told(store: Store) -> Told:
    """On both databases: signals go over by an upsert."""
    return Told(store)


@pytest.fixture
def stage(told: Told, tmp_path: Path) -> Stage:
    made = set_stage(told.store, tmp_path)
    made.fastapi.include_router(incidents_api.router(made))
    told.at(0, DISK, MAIL)
    told.until(60)
    return made


def test_it_stays_one_until_all_of_it_is_over(stage: Stage, told: Told) -> None:
    stage.clock.now = told.now
    noc = stage.program("noc", role="noc_operator")
    assert noc.post("/api/incidents/1/merge", json={"into": 1}).status_code == 422
    assert noc.post("/api/incidents/1/merge", json={"into": 9}).status_code == 404
    done = noc.post("/api/incidents/1/merge", json={"into": 2})
    assert done.status_code == 200, done.text
    assert (done.json()["number"], done.json()["state"]) == (2, "triggered")
    assert noc.post("/api/incidents/1/merge", json={"into": 2}).status_code == 409, "once"
    told.at(70, DISK, MAIL)
    told.until(200)
    first, second = told.all()
    assert (first.state, first.merged_into) == ("closed", 2)
    assert (second.severity, second.priority) == ("critical", first.priority), "as grave as what it took in"
    assert told.events(1)[-1] == "merged"
    assert "took_in" in told.events(2)
    assert told.waiting(1) == []
    told.at(210, ended(MAIL, 205), DISK)
    told.until(600)
    assert told.all()[1].recovered_at is None, "what was merged into it still holds"
    told.at(610, ended(MAIL, 205), ended(DISK, 605))
    told.until(1200)
    assert [each.state for each in told.all()] == ["closed", "resolved"]
    assert len(told.all()) == 2, "nothing was opened anew"


def test_nobody_merges_into_what_is_not_theirs_or_over(stage: Stage, told: Told) -> None:
    told.at(70, DISK, MAIL, GRAVE)
    told.until(120)
    stage.clock.now = told.now
    owner = stage.program("own", role="noc_operator", scope=Scope(frozenset({"owner"})))
    assert owner.post("/api/incidents/1/merge", json={"into": 3}).status_code == 404
    assert stage.program("eyes").post("/api/incidents/1/merge", json={"into": 2}).status_code == 403
    noc = stage.program("noc", role="noc_operator")
    assert noc.post("/api/incidents/2/resolve").status_code == 200
    assert noc.post("/api/incidents/1/merge", json={"into": 2}).status_code == 409
    assert noc.post("/api/incidents/3/merge", json={"into": 1}).status_code == 200, "with its time to fix"
    assert told.all()[0].fix_due_at is not None
    assert {kind for kind, _ in told.waiting(1)} >= {"fix_50", "fix_100"}
    assert told.waiting(3) == []
