"""What people and programs see of pages: why, lists, channels, noise; test pages, heartbeats, and nobody who watches."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from paging_stage import SECRET, START, PagingStage, Taker
from stage import Stage, set_stage

from collector.access.tables import audit_log
from collector.cli import main
from collector.escalation.policy import Policy, Step
from collector.escalation.queries import summoned
from collector.escalation.timer import DIGEST
from collector.incidents import queries as incidents
from collector.maintenance.queries import Windows
from collector.pages import api as pages_api
from collector.pages.office import PostOffice
from collector.pages.senders.base import SendError
from collector.people.person import Team
from collector.people.queries import write_team
from collector.settings_paging import PagingSettings
from collector.store.engine import Store
from collector.store.scope import Scope
from collector.verdicts.standing import Standing


@pytest.fixture
def paging(sqlite_template: Path, tmp_path: Path) -> Iterator[PagingStage]:
    path = tmp_path / "bongsu.db"
    shutil.copy(sqlite_template, path)
    store = Store(f"sqlite:///{path}")
    yield PagingStage(store)
    store.close()


def office_of(paging: PagingStage, tmp_path: Path, **wanted: Any) -> tuple[Stage, PostOffice]:
    stage: Any = set_stage(paging.store, tmp_path)
    stage.settings = replace(stage.settings, paging=PagingSettings(**wanted))
    stage.windows, stage.answer_secret, stage.standing = Windows(paging.store), SECRET, Standing(1)
    office = PostOffice(stage, lambda _labels, _at: "", senders=paging.senders)
    stage.fastapi.include_router(pages_api.router(stage, office))
    return stage, office


def test_why_and_lists_are_told_to_whom_they_concern(
    paging: PagingStage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage, _ = office_of(paging, tmp_path)
    number = paging.open()
    paging.senders["sms"].fails = SendError("gateway away for +82-10-2222-2222", reason="unreachable")
    paging.run(6)
    reader = stage.program("noc")
    why = reader.get(f"/api/incidents/{number}/why").json()
    assert why["outcome"] == "passed"
    assert [one["stage"] for one in why["stages"]] == ["maintenance", "silence", "inhibition", "barrier", "grouping"]
    found = {one["person"]: one for one in why["people"]}
    assert found["kim"]["outcome"] == "sent"
    assert found["kim"]["detail"] == "email email-1"
    assert found["lee"]["outcome"] == "fallback"
    assert found["park"]["text"] == {"ko": "당직이 아님", "en": "not on duty"}
    pages = reader.get("/api/pages", params={"incident": number, "limit": 2}).json()
    assert len(pages["items"]) == 2
    rest = reader.get("/api/pages", params={"incident": number, "after": pages["next"]}).json()
    assert {one["state"] for one in (*pages["items"], *rest["items"])} == {"sent", "superseded"}
    told = json.dumps([pages, rest, why])
    assert "gateway away" in told
    assert "example.org" not in told, "nobody's address"
    assert "2222" not in told
    channels = {one["channel"]: one for one in reader.get("/api/pages/channels").json()}
    assert channels["sms"]["last_error"] == "gateway away for …"
    assert channels["email"]["state"] == "ok"
    stranger = stage.program("stranger", scope=Scope(frozenset({"stranger"})))
    assert stranger.get(f"/api/incidents/{number}/why").status_code == 404
    assert stranger.get("/api/pages").json()["items"] == []
    assert {one["last_error"] for one in stranger.get("/api/pages/channels").json()} == {""}
    assert stranger.get("/api/pages/noise").json()["pages"] == 0
    assert main(["why", str(number), "--data", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "not on duty" in printed
    assert "email-1" in printed
    assert main(["why", str(number), "--data", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["people"][0]["person"] == "kim"
    assert main(["why", "99", "--data", str(tmp_path)]) == 1


def test_noise_names_the_rules_that_call_in_vain(paging: PagingStage, tmp_path: Path) -> None:
    stage, _ = office_of(paging, tmp_path)
    stage.clock.now = START + timedelta(hours=2)
    numbers = [paging.open(reason="Flaky") for _ in range(3)] + [paging.open(reason="Real")]
    paging.tick()
    paging.now += timedelta(minutes=1)
    for number in numbers[:3]:
        paging.resolve(number)
    with paging.store.transaction() as connection:
        incidents.comment(connection, numbers[3], "kim", paging.now, "replaced the disk", is_action=True)
    found = stage.program("noc").get("/api/pages/noise", params={"days": 1}).json()
    assert (found["pages"], found["incidents"], found["acted_ratio"]) == (4, 4, 0.25)
    assert [(one["reason"], one["pages"], one["acted_ratio"], one["brief"]) for one in found["rules"]] == [
        ("Flaky", 3, 0.0, 3),
        ("Real", 1, 1.0, 0),
    ]
    assert {
        one["pages"] for one in found["shifts"] if "kim" in one["people"] and one["ended_at"] > "2026-11-22T08"
    } == {4}


def test_a_test_page_is_sent_once_and_its_answer_is_timed(paging: PagingStage, tmp_path: Path) -> None:
    stage, office = office_of(paging, tmp_path, test_day="sun", test_at="17:00")
    now = START
    for _ in range(3):
        office.drill.step(now)
    other = office_of(paging, tmp_path, test_day="sun", test_at="17:00")[1]
    other.drill.step(now + timedelta(minutes=2))
    office.deliveries.step(now)
    assert [(one.person, one.kind) for one in paging.senders["email"].taken] == [("kim", "test")]
    assert [(one.person, one.kind) for one in paging.senders["sms"].taken] == [("lee", "test")]
    stage.clock.move(timedelta(seconds=95))
    message = paging.senders["email"].taken[0]
    token = message.link.rpartition("/")[2]
    answered = office.answer(token, "page")
    assert answered is not None
    assert answered.outcome == "received"
    again = office.answer(token, "page")
    assert again is not None
    assert again.outcome == "already"
    assert office.answer("no-such-token", "page") is None
    tests = stage.program("noc").get("/api/pages", params={"kind": "test"}).json()["items"]
    assert {one["person"]: one["answer_seconds"] for one in tests} == {"kim": 95.0, "lee": None}
    operator = stage.program("op", role="operator")
    stage.clock.move(timedelta(seconds=5))
    assert operator.post("/api/pages/tests", json={}).json() == {"pages": 2}
    assert stage.program("viewer").post("/api/pages/tests", json={}).status_code == 403
    assert paging.count(audit_log) == 1


def test_nobody_who_watches_is_an_alert(paging: PagingStage, tmp_path: Path) -> None:
    _, office = office_of(paging, tmp_path, console_minutes=10)
    watch = office.watch

    def names(minutes: float) -> list[str]:
        at = START + timedelta(minutes=minutes)
        watch.step(at)
        return [alert.name for alert in watch.alerts(at)]

    assert names(9) == []
    watch.seen("wall", "kim", START + timedelta(minutes=9))
    assert names(15) == []
    assert names(19.5) == ["ConsoleUnwatched"]
    assert office_of(paging, tmp_path, console_minutes=10)[1].watch.last_seen_at == START, "a new process reads on"
    watch.seen("wall", "kim", START + timedelta(minutes=21))
    assert names(21) == []
    with paging.store.transaction() as connection:
        connection.exec_driver_sql(
            "INSERT INTO roster_overrides (roster, layer, person_out, person_in, began_at, ended_at, reason, source, "
            "created_at, created_by) SELECT 'noc', '', id, '', '2026-11-22 08:00:00', '2026-11-22 20:00:00', '', '', "
            "'2026-11-22 08:00:00', 'x' FROM people WHERE id IN ('kim', 'lee')"
        )
    assert names(22) == ["DutyHole"]
    (hole,) = watch.alerts(START)
    assert (hole.subject, hole.severity, hole.source) == (("roster", "noc"), "critical", "duty")
    assert hole.started_at_ms == round(START.timestamp() * 1000), "since it began, not since it was seen"
    number = paging.open(reason="DutyHole", site="", subject_kind="roster", subject_id="noc", agency="")
    paging.tick()
    assert paging.said() == [("boss", "duty_hole")]
    assert paging.outcomes(number)["kim"] == "not_on_duty"
    paging.senders["email"].fails = SendError("away", reason="timeout")
    for _ in range(3):
        paging.open(severity="warning")
    paging.run(1)
    assert "PageChannelFailing" in names(23)


def test_a_heartbeat_takes_the_way_of_pages_and_is_not_kept_for_ever(paging: PagingStage, tmp_path: Path) -> None:
    paging.senders["webhook"] = Taker("webhook", fails=SendError("away", reason="timeout"))
    stage, office = office_of(paging, tmp_path)
    for minute in range(3):
        stage.clock.move(timedelta(minutes=1))
        office.send_heartbeat("webhook", "https://outside.test/beat", stage.clock.now)
        office.deliveries.step(stage.clock.now)
        assert minute < 3
    paging.senders["webhook"].fails = None
    stage.clock.move(timedelta(minutes=1))
    office.deliveries.step(stage.clock.now)
    assert [one.kind for one in paging.senders["webhook"].taken] == ["heartbeat"], "the newest alone"
    assert stage.program("noc").get("/api/pages").json()["items"] == []
    stage.clock.move(timedelta(days=2))
    for job in office.jobs():
        if job.name == "page_delivery":
            job.step(stage.clock.now)
    assert stage.program("later").get("/api/pages", params={"kind": "heartbeat"}).json()["items"] == []


def test_warnings_of_the_clock_go_to_whoever_has_it(paging: PagingStage, tmp_path: Path) -> None:
    number = paging.open(fix_due_at=START + timedelta(hours=2))
    paging.tick()
    paging.acknowledge(number, "lee")
    with paging.store.transaction() as connection:
        incidents.assign(connection, number, "lee", paging.now, "park")
    paging.now += timedelta(hours=1, minutes=36)
    paging.timer(number, "fix_80")
    paging.tick()
    got = [one for taker in paging.senders.values() for one in taker.taken if one.kind == "fix_warning"]
    assert sorted(one.person for one in got) == ["lee", "park"]
    mail = next(one for one in got if one.person == "park")
    assert mail.subject.startswith("[조치 시한 80 %]")
    assert "24분" in mail.text
    paging.now += timedelta(minutes=40)
    paging.timer(number, "fix_100")
    paging.tick()
    got = [one for taker in paging.senders.values() for one in taker.taken if "100" in one.subject]
    assert sorted(one.person for one in got) == ["kim", "lee", "park"]
    assert "경과: 16분" in next(
        one.text for one in paging.senders["email"].taken if one.person == "kim" and "100" in one.subject
    )
    assert tmp_path


def test_a_summons_calls_the_team_and_its_answers_are_kept(paging: PagingStage, tmp_path: Path) -> None:
    with paging.store.transaction() as connection:
        write_team(connection, Team("crisis", "장애대응반", "Response team", members=("park", "boss")))
    _, office = office_of(paging, tmp_path)
    number = paging.open(policy=Policy("p", (Step(0, ("summons:crisis",), "all"),), summons_seconds=300))
    paging.tick()
    got = {one.person: one for one in paging.senders["email"].taken if one.kind == "summons"}
    assert got.keys() == {"park", "boss"}
    assert "[비상소집]" in got["park"].subject
    yes = office.answer(got["park"].link.rpartition("/")[2], "page", comes=True)
    no = office.answer(got["boss"].link.rpartition("/")[2], "page", comes=False)
    assert yes is not None
    assert no is not None
    assert (yes.outcome, no.outcome) == ("replied", "replied")
    with paging.store.reading() as connection:
        replies = {one.person: one.reply for one in summoned(connection, number)}
    assert replies == {"park": "coming", "boss": "cannot"}


def test_a_digest_wakes_nobody(paging: PagingStage) -> None:
    number = paging.open("info", is_digest=True, title_ko="수신두절 중 이벤트 3건", policy=Policy("none"))
    paging.tick()
    assert paging.said() == []
    assert paging.why(number).outcome == "no_step"
    paging.timer(number, DIGEST)
    paging.tick()
    assert paging.said() == [("kim", "digest")]
