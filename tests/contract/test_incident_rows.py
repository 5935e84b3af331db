"""What incidents and timers promise, on both databases: one effect, whoever is at it, and nothing half done."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from collector.escalation.policy import SHIPPED, freeze
from collector.escalation.queries import add_timer, cancel, claim, due, move, pending, postpone, reply, summon, summoned
from collector.fleet.registry import Registry
from collector.incidents.course import Course, Memory
from collector.incidents.course_queries import Overtaken, read_book, read_homes, write_look
from collector.incidents.ending_queries import close, resolve
from collector.incidents.job import IncidentJob
from collector.incidents.queries import (
    acknowledge,
    assign,
    comment,
    count_open,
    events_of,
    explain,
    find,
    list_incidents,
    signals_of,
    snooze,
)
from collector.incidents.signal import Signal
from collector.store.engine import Store
from collector.store.scope import EVERYTHING, NOTHING, Scope

NOW = datetime(2026, 11, 22, 1, 0, 0, 123_000, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)


def signal(key: str, **more: object) -> Signal:
    kind, _, name = key.partition(":")
    told = Signal(key, "verdict", "critical", (kind, name), name, "mofa", "silent", NOW_MS, NOW_MS + 30_000, (), (),
                  (("a", "가"),), (), is_active=True, hides=True)  # fmt: skip
    return told._replace(**more)


def look(store: Store, *signals: Signal, at: datetime = NOW) -> None:
    job = IncidentJob(store, Registry(store), lambda _now, _plan: (signals, False))
    assert job.step(at) is None


def test_the_first_who_answers_is_the_first(store: Store) -> None:
    look(store, signal("site:a"))
    with store.transaction() as connection:
        assert acknowledge(connection, 1, "kim", NOW)
        assert not acknowledge(connection, 1, "lee", NOW)
        assert not acknowledge(connection, 2, "kim", NOW)
    with store.reading() as connection:
        found = find(connection, EVERYTHING, 1)
        assert found is not None
        assert (found.acknowledged_by, found.acknowledged_at, found.policy["id"]) == ("kim", NOW, "critical")
        assert [(t.kind, t.due_at) for t in pending(connection, 1)] == [("reack", NOW + timedelta(hours=1))]
        assert [event.kind for event in events_of(connection, 1)] == ["opened", "acknowledged"]
        assert signals_of(connection, 1)[0].labels == (("a", "가"),)


def test_an_answer_from_off_shift_is_written_and_calling_goes_on(store: Store) -> None:
    look(store, signal("site:a"))
    with store.transaction() as connection:
        assert not acknowledge(connection, 1, "ada", NOW, is_on_shift=False)
    with store.reading() as connection:
        assert [t.kind for t in pending(connection, 1)] == ["step"]
        assert events_of(connection, 1)[-1].kind == "answered_off_shift"


def test_every_change_has_its_event_or_changes_nothing(store: Store) -> None:
    look(store, signal("site:a"))
    with store.transaction() as connection:
        assert assign(connection, 1, "kim", NOW, "lee")
        assert snooze(connection, 1, "kim", NOW, NOW + timedelta(minutes=5))
        assert [t.kind for t in pending(connection, 1)] == ["unsnooze"]
        assert comment(connection, 1, "lee", NOW, "보는 중")
        assert comment(connection, 1, "lee", NOW, "전환", is_action=True)
        assert explain(connection, 1, "lee", NOW, "정전", "")
        assert not close(connection, 1, "lee", NOW)
    look(store, at=NOW + timedelta(seconds=5))
    with store.transaction() as connection:
        assert resolve(connection, 1, "lee", NOW)
        assert not resolve(connection, 1, "lee", NOW)
        assert close(connection, 1, "lee", NOW)
        assert not assign(connection, 1, "kim", NOW, "kim")
        assert pending(connection, 1) == []
        kinds = [event.kind for event in events_of(connection, 1)]
        assert kinds == [
            "opened",
            "assigned",
            "snoozed",
            "commented",
            "action",
            "explained",
            "recovered",
            "resolved",
            "closed",
        ]


def test_lists_are_scoped_and_go_on_from_a_number(store: Store) -> None:
    look(
        store, *(signal(f"site:{name}", agency=agency) for name, agency in (("a", "mofa"), ("b", "mofa"), ("c", "nec")))
    )
    with store.reading() as connection:
        assert [each.number for each in list_incidents(connection, EVERYTHING, limit=2)] == [3, 2]
        assert [each.number for each in list_incidents(connection, EVERYTHING, before=2)] == [1]
        assert [each.site for each in list_incidents(connection, Scope(frozenset({"mofa"})))] == ["b", "a"]
        assert [each.site for each in list_incidents(connection, Scope(None, frozenset({"a"})))] == ["a"]
        assert find(connection, NOTHING, 1) is None
        assert count_open(connection, Scope(frozenset({"nec"}))) == {"critical": 1}


def test_one_of_two_collectors_wins_a_timer(store: Store) -> None:
    look(store, signal("site:a"))
    later = NOW + timedelta(seconds=30)
    with store.reading() as connection:
        (timer,) = due(connection, later, 10)
        assert due(connection, later - timedelta(seconds=1), 10) == []
    won: list[bool] = []

    def take() -> None:
        with store.transaction() as connection:
            won.append(claim(connection, timer.id, later))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False, False, False, True]


def test_a_timer_of_work_that_failed_is_due_again(store: Store) -> None:
    with store.transaction() as connection:
        number = add_timer(connection, None, "test", NOW)
    with pytest.raises(RuntimeError), store.transaction() as connection:  # noqa: PT012 -- raising is the point
        assert claim(connection, number, NOW)
        raise RuntimeError
    with store.reading() as connection:
        assert [each.id for each in due(connection, NOW, 10)] == [number]


def test_timers_are_ended_moved_and_handed_on(store: Store) -> None:
    look(store, signal("site:a"), signal("site:b"))
    with store.transaction() as connection:
        assert postpone(connection, 1, "step", NOW + timedelta(minutes=9))
        assert move(connection, 1, 2, ("step",)) == 1
        assert [t.due_at for t in pending(connection, 2)] == [NOW + timedelta(seconds=30), NOW + timedelta(minutes=9)]
        assert cancel(connection, 2, ("step",), NOW) == 2
        assert pending(connection, 2) == []


def test_a_summons_keeps_who_was_called_and_who_answered(store: Store) -> None:
    look(store, signal("site:a"))
    with store.transaction() as connection:
        assert summon(connection, 1, "net", [("kim", ("sms", "phone")), ("lee", ("sms",))], NOW) == 2
        assert summon(connection, 1, "net", [("kim", ("sms",)), ("park", ())], NOW) == 1
        assert reply(connection, 1, "kim", "coming", NOW, "sms")
        assert not reply(connection, 1, "kim", "cannot", NOW, "sms")
        assert not reply(connection, 1, "choi", "coming", NOW, "sms")
        found = summoned(connection, 1)
    assert [(each.person, each.channels, each.reply) for each in found] == [
        ("kim", ("sms", "phone"), "coming"),
        ("lee", ("sms",), ""),
        ("park", (), ""),
    ]


def test_two_collectors_open_one_incident(store: Store) -> None:
    gate = threading.Barrier(2)
    told = signal("site:a")

    def signals(_now: object, _plan: object) -> tuple[list[Signal], bool]:
        return [told], False

    def both() -> None:
        job = IncidentJob(store, Registry(store), signals)
        gate.wait()
        for second in range(3):
            job.step(NOW + timedelta(seconds=second))

    threads = [threading.Thread(target=both) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as connection:
        assert [each.key for each in list_incidents(connection, EVERYTHING)] == ["site:a"]
        assert len(pending(connection, 1)) == 1
        assert list(read_homes(connection)) == ["site:a"]


def test_who_answered_between_reading_and_writing_is_not_undone(store: Store) -> None:
    look(store, signal("site:a"))
    with store.reading() as connection:
        version, memory = read_book(connection)
        known = list_incidents(connection, EVERYTHING)
        homes = read_homes(connection)
    course = Course(SHIPPED, Registry(store).fleet, memory, NOW + timedelta(seconds=1))
    outcome = course.look(known, homes, [])
    later = Course(SHIPPED, Registry(store).fleet, Memory(), NOW + timedelta(hours=1))
    with store.transaction() as connection:
        acknowledge(connection, 1, "kim", NOW)
    with pytest.raises(Overtaken), store.transaction() as connection:
        write_look(connection, version, outcome, memory, NOW)
    with store.reading() as connection:
        found = find(connection, EVERYTHING, 1)
        assert found is not None
        assert (found.state, found.recovered_at) == ("acknowledged", None)
        assert read_homes(connection)
    assert later.look([], {}, []).drafts == []
    assert found.policy == {**found.policy, "id": freeze(SHIPPED.policies[0])["id"]}


@pytest.mark.slow
def test_ten_thousand_alerts_of_one_failed_hub_are_one_incident(store: Store) -> None:
    """One page for each who is called, and never a statement for each alert."""
    many = [
        signal(f"alert:{n:032x}", source="alertmanager", subject=("host", f"h{n % 500}"), hides=False)
        for n in range(10_000)
    ]
    hub = signal("hub:mea", affected=tuple(("host", f"h{n}") for n in range(500)))
    told: list[Signal] = []
    job = IncidentJob(store, Registry(store), lambda _now, _plan: (told, False))
    began = time.process_time()
    for second, now in ((0, many[:40]), (5, many), (20, [hub, *many]), (25, [hub, *many]), (60, [])):
        told[:] = now
        job.step(NOW + timedelta(seconds=second))
    seconds = time.process_time() - began
    with store.reading() as connection:
        (found,) = list_incidents(connection, EVERYTHING)
        assert (found.key, found.state) == ("hub:mea", "triggered")
        steps = [timer for each in range(1, 60) for timer in pending(connection, each) if timer.kind == "step"]
        assert len(steps) <= 1
        assert read_homes(connection) == {}
    assert seconds < 10, f"{seconds:.1f} s of CPU"
