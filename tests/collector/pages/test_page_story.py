"""From a due timer to an awake person: who gets which page, when, by which channel; and what happens where that fails."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from paging_stage import PagingStage

from collector.escalation.policy import ON_DUTY, Policy, Step
from collector.escalation.timer import STEP
from collector.pages.answer import answer, find_answer
from collector.pages.health import FAILING
from collector.pages.senders.base import SendError
from collector.pages.tables import page_decisions
from collector.pages.watch_queries import read_health
from collector.store.engine import Store
from collector.verdicts.standing import DOWN, Cause, SiteStanding, Standing

AWAY = SendError("connection refused", reason="unreachable")


@pytest.fixture
def stage(store: Store) -> PagingStage:
    return PagingStage(store)


def test_the_night_of_an_alert_nobody_answers(stage: PagingStage) -> None:
    number = stage.open()
    stage.run(4)
    assert stage.said("email") == [("kim", "trigger")], "whoever is on duty first, on their first channel, once"
    assert stage.said("sms") == []
    assert stage.outcomes(number) == {"kim": "sent", "lee": "not_yet", "boss": "spare", "park": "not_on_duty"}
    stage.run(5)
    assert stage.said("sms") == [("lee", "escalation")], "after five minutes the next person"
    stage.run(5)
    kinds = {(one.person, channel) for channel in ("email", "sms") for one in stage.senders[channel].taken}
    assert kinds == {("kim", "email"), ("kim", "sms"), ("lee", "email"), ("lee", "sms"), ("boss", "email")}
    page = next(one for one in stage.senders["sms"].taken if one.person == "lee")
    with stage.store.transaction() as connection:
        found = find_answer(connection, page.link.rpartition("/")[2], stage.now)
        assert found is not None
        assert found.person == "lee"
        assert found.incident is not None
        assert found.incident.state == "triggered", "looking changes nothing"
        taken = answer(connection, found, stage.now, "page", stage.registry.fleet)
    assert taken.outcome == "acknowledged"
    assert taken.incident is not None
    assert taken.incident.acknowledged_by == "lee"
    before = len(stage.senders["email"].taken) + len(stage.senders["sms"].taken)
    stage.run(40, by_seconds=60)
    assert len(stage.senders["email"].taken) + len(stage.senders["sms"].taken) == before, "then there is peace"
    stage.resolve(number)
    stage.run(1)
    ends = [one.person for taker in stage.senders.values() for one in taker.taken if one.kind == "recovery"]
    assert sorted(ends) == ["boss", "kim", "lee"], "whoever was called hears the end, once"
    assert "park" not in {one.person for taker in stage.senders.values() for one in taker.taken}
    assert stage.outcomes(number)["lee"] == "answered"


def test_an_answer_off_shift_is_noted_and_the_calling_goes_on(stage: PagingStage) -> None:
    number = stage.open(policy=Policy("p", (Step(0, ("person:park",)), Step(60, (ON_DUTY,)))))
    stage.tick()
    assert {person for person, _ in stage.said()} == {"park", "kim"}, "never only somebody who is off shift"
    token = stage.senders["email"].taken[0].link.rpartition("/")[2]
    assert stage.senders["email"].taken[0].person == "park"
    with stage.store.transaction() as connection:
        found = find_answer(connection, token)
        assert found is not None
        assert answer(connection, found, stage.now, "page", stage.registry.fleet).outcome == "off_shift"
    stage.run(2)
    assert stage.said().count(("kim", "escalation")) == 1
    assert number


def test_what_holds_a_page_and_lets_it_go(stage: PagingStage) -> None:
    number = stage.open()
    stage.windows[("site", "here")] = object()
    stage.run(2)
    assert stage.said() == []
    assert stage.why(number).outcome == "maintenance"
    assert set(stage.outcomes(number).values()) == {"maintenance"}
    stage.windows.clear()
    stage.silenced = lambda labels, _at: "s1" if labels.get("site") == "here" else ""
    stage.run(2)
    assert stage.why(number).outcome == "silenced"
    stage.silenced = lambda _labels, _at: ""
    behind = Cause("hub:mea", DOWN, 0, "hub_down", (), (("site", "here"),), None)
    stage.standing = Standing(1, causes={"hub:mea": behind})
    stage.run(2)
    assert (stage.why(number).outcome, stage.why(number).detail) == ("inhibited", "hub:mea")
    stage.standing = Standing(1, sites={"here": SiteStanding(2, 0, "recovering", None)})
    stage.run(2)
    assert stage.why(number).outcome == "barrier"
    stage.standing = Standing(1)
    stage.run(0.5)
    assert stage.said() == [("kim", "trigger")], "what held it is gone, and it is still there"
    assert stage.why(number).outcome == "passed"


def test_it_was_over_before_anything_left(stage: PagingStage) -> None:
    number = stage.open(severity="warning")
    for taker in stage.senders.values():
        taker.fails = AWAY
    stage.run(3)
    stage.resolve(number)
    for taker in stage.senders.values():
        taker.fails = None
    stage.run(10)
    got = [(one.person, one.kind) for taker in stage.senders.values() for one in taker.taken]
    assert got == [("kim", "recovery")], "the newest state, not a flood"
    assert {row.reason for row in stage.rows(number) if row.state == "superseded"} == {"over"}


def test_whoever_was_called_for_a_part_hears_the_end_of_the_whole(stage: PagingStage) -> None:
    part = stage.open("warning")
    stage.run(1)
    whole = stage.open(site="there")
    with stage.store.transaction() as connection:
        connection.exec_driver_sql(
            f"UPDATE incidents SET state = 'closed', merged_into = {whole} WHERE number = {part}"
        )
    stage.resolve(whole)
    stage.timer(whole)
    stage.run(1)
    assert stage.said() == [("kim", "trigger"), ("kim", "recovery")]
    assert stage.senders["email"].taken[-1].incident == whole


def test_a_channel_that_is_back_waits_no_longer(stage: PagingStage) -> None:
    stage.senders["email"].fails = stage.senders["sms"].fails = AWAY
    numbers = [stage.open(site=site) for site in ("here", "there")]
    stage.run(4, by_seconds=5)
    for taker in stage.senders.values():
        taker.fails = None
    while not stage.senders["email"].taken:
        stage.now += timedelta(seconds=1)
        stage.tick()
    stage.tick()
    assert {one.incident for one in stage.senders["email"].taken} == set(numbers), "not each after its own patience"


def test_a_channel_that_refuses_hands_over_at_once(stage: PagingStage) -> None:
    number = stage.open()
    stage.senders["email"].fails = SendError("no such mailbox", permanent=True, reason="address")
    stage.run(0.5)
    assert stage.said("sms") == [("kim", "trigger")]
    assert stage.senders["email"].tries == 1
    assert stage.outcomes(number)["kim"] == "fallback"
    with stage.store.reading() as connection:
        assert "email" not in {name for name, one in read_health(connection).items() if one.state == FAILING}


@pytest.mark.slow
def test_an_hour_without_mail_and_text_messages_loses_nothing(stage: PagingStage) -> None:
    for taker in stage.senders.values():
        taker.fails = AWAY
    number = stage.open()
    stage.run(60)
    tries = sum(taker.tries for taker in stage.senders.values())
    with stage.store.reading() as connection:
        assert {one.state for one in read_health(connection).values()} == {FAILING}
    for taker in stage.senders.values():
        taker.fails = None
    stage.run(6)
    got = [(one.person, channel) for channel, taker in stage.senders.items() for one in taker.taken]
    assert {person for person, _ in got} == {"kim", "lee", "boss"}
    assert len(got) == len(set(got)), "each way once: newer news replaced what did not leave"
    assert tries < 250, "with patience"
    assert all(row.state in ("sent", "superseded") for row in stage.rows(number))


def test_a_page_that_breaks_its_sender_is_counted_and_goes_by_another(stage: PagingStage) -> None:
    stage.senders["email"].fails = ZeroDivisionError("our own mistake")
    stage.open()
    stage.open(site="there")
    stage.run(1)
    assert [one.incident for one in stage.senders["sms"].taken] == [1, 2]
    value = stage.telemetry.registry.get_sample_value
    assert value("bongsu_pages_total", {"channel": "email", "result": "poisoned"}) == stage.senders["email"].tries
    assert value("bongsu_pages_total", {"channel": "sms", "result": "sent"}) == 2


def test_quiet_hours_wait_or_hand_over_but_never_for_the_highest(stage: PagingStage) -> None:
    with stage.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE people SET quiet_hours = '16:00-19:00' WHERE id = 'kim'")
    warning = stage.open("warning")
    stage.tick()
    assert stage.said("sms") == [("lee", "trigger")]
    assert stage.outcomes(warning)["kim"] == "quiet_next"
    critical = stage.open(site="there")
    stage.tick()
    assert stage.said("email") == [("kim", "trigger")]
    assert stage.outcomes(critical)["kim"] == "sent"
    with stage.store.transaction() as connection:
        # 08:00 in UTC is 09:00 in Lagos, where lee is.
        connection.exec_driver_sql("UPDATE people SET quiet_hours = '08:00-10:00' WHERE id = 'lee'")
    waits = stage.open("warning", site="there")
    stage.run(1)
    assert stage.outcomes(waits)["kim"] == "quiet_wait"
    assert [row.due_at for row in stage.rows(waits)] == [stage.now.replace(hour=10, minute=0, second=0)]
    stage.now = stage.now.replace(hour=10, minute=0, second=0)
    stage.acknowledge(waits, "lee")
    stage.tick()
    assert [row.reason for row in stage.rows(waits)] == ["answered"], "nobody is woken for what somebody has in hand"


def test_a_flood_is_put_off_for_one_person(stage: PagingStage) -> None:
    for _ in range(9):
        stage.open("warning")
    stage.tick()
    assert len(stage.said()) == 6
    stage.run(11)
    assert len(stage.said()) == 9, "put off, not lost"


def test_whoever_has_no_proven_address_is_said_so_and_others_are_called(stage: PagingStage) -> None:
    with stage.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE people_contacts SET verified_at = NULL WHERE person = 'kim'")
    number = stage.open()
    stage.tick()
    assert stage.outcomes(number)["kim"] == "no_verified_channel"
    assert {one.person for taker in stage.senders.values() for one in taker.taken} == {"lee", "boss"}
    with stage.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE people_contacts SET verified_at = NULL")
    nobody = stage.open(site="there")
    stage.tick()
    said = stage.count(page_decisions)
    stage.timer(nobody, STEP)
    stage.tick()
    assert stage.why(nobody).outcome == "nobody"
    assert stage.count(page_decisions) == said, "said once, however often it is tried"


def test_somebody_off_shift_is_not_the_only_one_because_the_others_have_no_address(stage: PagingStage) -> None:
    with stage.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE people_contacts SET verified_at = NULL WHERE person = 'kim'")
    number = stage.open(policy=Policy("p", (Step(0, ("person:park",)),)))
    stage.tick()
    assert {row.person for row in stage.rows(number)} == {"park", "lee", "boss"}


def test_two_collectors_do_one_timer_once(stage: PagingStage) -> None:
    stage.open()
    other = PagingStage.__new__(PagingStage)
    other.__dict__.update(stage.__dict__)
    other.restart()
    for each in (stage, other):
        each.pages.step(each.now)
    for each in (stage, other):
        each.deliveries.step(each.now)
    assert stage.said() == [("kim", "trigger")]


def test_a_slow_channel_holds_up_no_other(stage: PagingStage) -> None:
    leaves = threading.Event()
    got = threading.Event()
    stage.senders["email"].first = lambda _message: leaves.wait(10) or None
    stage.senders["sms"].first = lambda _message: got.set()
    stage.open(policy=Policy("p", (Step(0, (ON_DUTY,), "all"),)))
    stage.pages.step(stage.now)
    stage.deliveries.start()
    stage.deliveries.wake()
    assert got.wait(10), "the text message left while the mail server hung"
    assert stage.said("email") == []
    leaves.set()
    stage.deliveries.stop()
    assert stage.said("email") == [("kim", "trigger")]


def test_who_was_told_in_which_words(stage: PagingStage) -> None:
    number = stage.open(
        policy=Policy("p", (Step(0, ("all_on_duty",), "all"),)), title_ko="거점 <web.here>\n10.0.0.1 중단"
    )
    stage.tick()
    mail = next(one for one in stage.senders["email"].taken if one.person == "kim")
    text = next(one for one in stage.senders["sms"].taken if one.person == "kim")
    assert mail.subject == f"[긴급] 장애 건 #{number} 거점 <web.here> 10.0.0.1 중단", "one line"
    assert "추정 원인" in mail.text
    assert "다음 조치" in mail.text
    assert "/runbooks/" in mail.text
    assert (
        "09:00 Africa/Lagos (현지시각) / 2026-11-22 17:00 Asia/Seoul (수신자 시각) / 2026-11-22 08:00 UTC" in mail.text
    )
    for secret in ("web.here", "10.0.0.1", "here", "kim"):
        assert secret not in text.text.replace("bongsu.test", "") + text.short, secret
    assert len(text.short.encode("euc-kr")) <= 90
    assert text.link in text.short
    english = next(one for one in stage.senders["email"].taken if one.person == "lee")
    assert "Likely cause" in english.text
    assert "(your time)" not in english.text, "lee lives by the site's clock"
