"""What people know to be one: merged over the API, and the looks of the job that follow keep it so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from stage import Stage, set_stage
from told_signals import START, Told, alert, ended, verdict

from collector.escalation.queries import add_timer
from collector.escalation.timer import STEP
from collector.incidents import api as incidents_api
from collector.incidents import incident as inc
from collector.incidents import queries
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


def steps(told: Told, number: int) -> list[int]:
    return [at for at, incident, kind in told.paged if incident == number and kind == "step"]


def acknowledge(told: Told, number: int, by: str) -> None:
    with told.store.transaction() as connection:
        assert queries.acknowledge(connection, number, by, told.now)


def merged_and_split(stage: Stage, told: Told, answered_at: int | None, split_at: int) -> None:
    """1 (critical) goes into 2 (a warning) at 90 s, and is taken out of it again."""
    told.until(90)
    with told.store.transaction() as connection:
        add_timer(connection, 1, STEP, START + timedelta(seconds=330), step=1)  # as pages do after the first
    noc = stage.program("noc", role="noc_operator")
    for second, path in ((90, "merge"), (split_at, "split")):
        if second == split_at:
            if answered_at is not None and answered_at > 90:
                told.until(answered_at)
                acknowledge(told, 2, "park")
            told.until(second)
        stage.clock.now = told.now
        answer = noc.post(f"/api/incidents/1/{path}", json={"into": 2})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("answered_at", "state", "by"),
    [(None, "triggered", ""), (60, "triggered", ""), (150, "acknowledged", "park")],
    ids=["nobody answered", "the other was answered before", "both were answered as one"],
)
def test_a_wrong_merge_is_undone_and_each_goes_on_by_itself(
    stage: Stage, told: Told, answered_at: int | None, state: str, by: str
) -> None:
    if answered_at == 60:
        acknowledge(told, 2, "park")
    merged_and_split(stage, told, answered_at, 200)
    first, second = told.all()
    assert (first.state, first.acknowledged_by, first.merged_into) == (state, by, None)
    assert (first.severity, second.severity) == ("critical", "warning"), "as grave as by itself"
    assert ("split" in told.events(1), "gave_back" in told.events(2)) == (True, True)
    before = len(steps(told, 1))
    told.until(1500)
    assert (len(steps(told, 1)) > before) == (state == "triggered"), (
        "nobody is called for what was answered, and else goes on"
    )
    told.at(1510, MAIL, ended(DISK, 1505))
    told.until(2700)
    first, second = told.all()
    assert first.state == "resolved"
    assert second.state not in ("resolved", "closed")
    assert len(told.all()) == 2
    assert all("undo" not in event.data for event in told_events(told, 1)), "nobody is shown what only undoing needs"


def test_what_was_answered_before_was_not_answered_for_both(stage: Stage, told: Told) -> None:
    acknowledge(told, 1, "park")
    stage.clock.now = told.now
    noc = stage.program("noc", role="noc_operator")
    assert noc.post("/api/incidents/2/merge", json={"into": 1}).status_code == 200
    told.until(200)
    assert told.all()[0].state == "acknowledged"
    stage.clock.now = told.now
    assert noc.post("/api/incidents/2/split").json()["state"] == "triggered"


def told_events(told: Told, number: int) -> list[inc.Event]:
    with told.store.reading() as connection:
        return queries.events_of(connection, number)


def test_what_ended_meanwhile_is_over_without_calling_anybody(stage: Stage, told: Told) -> None:
    told.until(90)
    stage.clock.now = told.now
    noc = stage.program("noc", role="noc_operator")
    assert noc.post("/api/incidents/1/merge", json={"into": 2}).status_code == 200
    told.at(300, MAIL, ended(DISK, 295))
    told.until(900)
    stage.clock.now = told.now
    before = list(told.paged)
    assert noc.post("/api/incidents/1/split").status_code == 200
    told.until(1500)
    assert (told.all()[0].state, told.all()[1].recovered_at) == ("resolved", None)
    assert (told.all()[0].recovered_at or told.now) < START + timedelta(seconds=400), (
        "when it was over, not when it was split"
    )
    assert [each for each in told.paged if each not in before and each[1] == 1 and each[2] == "step"] == []


def test_only_a_merge_by_hand_into_what_stands_by_itself_is_undone(stage: Stage, told: Told) -> None:
    told.at(70, DISK, MAIL, GRAVE)
    told.until(120)
    stage.clock.now = told.now
    noc = stage.program("noc", role="noc_operator")
    assert noc.post("/api/incidents/1/split").status_code == 409, "it lies in none"
    assert noc.post("/api/incidents/3/merge", json={"into": 1}).status_code == 200
    assert noc.post("/api/incidents/1/merge", json={"into": 2}).status_code == 200
    assert noc.post("/api/incidents/3/split").status_code == 409, "the one it lies in lies in another"
    assert stage.program("eyes").post("/api/incidents/1/split").status_code == 403
    assert noc.post("/api/incidents/1/split").status_code == 200
    assert noc.post("/api/incidents/3/split").status_code == 200
    assert noc.post("/api/incidents/3/split").status_code == 409, "once"
    first, _, third = told.all()
    assert (first.fix_due_at is None, third.fix_due_at is None) == (True, False), "the time to fix is its own again"
    assert {kind for kind, _ in told.waiting(3)} >= {"fix_50", "fix_100"}
    owner = stage.program("own", role="noc_operator", scope=Scope(frozenset({"stranger"})))
    assert owner.get("/api/incidents/1").status_code == 404, "nor does it reach those whom only the other touched"
    told.until(600)
    assert [each.state for each in told.all()] == ["triggered"] * 3


@pytest.mark.parametrize("split_first", [False, True], ids=["as one", "after it was undone"])
@pytest.mark.parametrize("by_hand", [False, True], ids=["by itself", "by hand"])
def test_whoever_was_called_for_the_one_hears_the_end_of_both(
    stage: Stage, told: Told, by_hand: bool, split_first: bool
) -> None:
    """The other is so young that nobody was told of it."""
    young = alert("PrinterGone", ("host", "web.away"), since=90)
    told.at(90, DISK, MAIL, young)
    stage.clock.now = told.now
    noc = stage.program("noc", role="noc_operator")
    assert noc.post("/api/incidents/1/merge", json={"into": 3}).status_code == 200
    if split_first:
        assert noc.post("/api/incidents/1/split").status_code == 200
    if by_hand:
        assert noc.post("/api/incidents/3/resolve").status_code == 200
    told.at(95, MAIL, ended(young, 94), ended(DISK, 94))
    told.until(1500)
    assert [kind for _, incident, kind in told.paged if incident == 3] == ([] if split_first else ["resolved"])
    assert [kind for _, incident, kind in told.paged if incident == 1 and kind != "step"] == (
        ["resolved"] if split_first else []
    )
