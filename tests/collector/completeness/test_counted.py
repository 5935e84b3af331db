"""From the wire to a site's hours: on time, late, lost, rolled up, missing; after restarts; on both databases."""

from __future__ import annotations

import pytest
from centre import NOW_MS
from counted import PER_HOUR, START, STEP, Counted
from rollups import rolled
from sender import schema_of
from sqlalchemy import event, select

from agent.link.model import Loss, loss_record
from collector.completeness.hours import HOUR_MS
from collector.completeness.tables import host_hours
from collector.fleet.tables import agents
from collector.store.schema import instant

MINUTE = 60_000


def test_an_hour_on_time_is_complete(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    counted.send(sender, counted.samples(sender, START, PER_HOUR))
    counted.turn(START + HOUR_MS)
    assert counted.hour().state == "open"
    counted.settle()
    hour = counted.hour()
    assert (hour.expected, hour.received, hour.late, dict(hour.lost)) == (PER_HOUR, PER_HOUR, 0, {})
    assert (hour.state, hour.ratio) == ("complete", 1.0)
    assert counted.completeness.latest["abuja"] == hour


def test_hours_are_half_open(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    counted.send(sender, counted.samples(sender, START - STEP, 2) + counted.samples(sender, START + HOUR_MS - 1, 1))
    counted.send(sender, counted.samples(sender, START + HOUR_MS, 1))
    counted.settle(2)
    assert [hour.received for hour in counted.hours(-1)] == [1, 2, 1]


def test_hours_follow_corrected_time(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    behind = sender.sample(schema_of(sender.host), [1.0], START - 1000, offset_ms=2000)
    counted.send(sender, [behind])
    counted.settle()
    assert [(hour.hour_ms, hour.received) for hour in counted.hours()] == [(START, 1)]


def test_a_cut_of_three_hours_fills_the_hours_it_was_taken_in(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    cut = counted.samples(sender, START + HOUR_MS, 3 * PER_HOUR)
    counted.settle(4)
    assert [counted.hour(at).state for at in (1, 2, 3)] == ["nothing"] * 3
    back = START + 5 * HOUR_MS
    for start in range(len(cut), 0, -20):  # newest first
        counted.send_at(sender, cut[max(0, start - 20) : start], back)
    counted.turn(back + 30 * MINUTE)
    for at in (1, 2, 3):
        hour = counted.hour(at)
        assert (hour.expected, hour.received, hour.late, hour.state) == (PER_HOUR, PER_HOUR, PER_HOUR, "late")
    assert [hour.hour_ms for hour in counted.hours(5)] == []


def test_late_is_later_than_three_intervals(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    for late_ms in (0, 3 * STEP, 3 * STEP + 1):
        counted.send(sender, counted.samples(sender, START + late_ms, 1), late_ms=late_ms)
    counted.settle()
    assert (counted.hour().received, counted.hour().late) == (3, 1)


def test_what_was_sent_twice_counts_once_and_a_restart_changes_nothing(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    samples = counted.samples(sender, START, 40)
    counted.send(sender, samples)
    counted.turn(START + 58 * MINUTE)
    counted.send_at(sender, samples, START + 59 * MINUTE)
    counted.restart()
    counted.settle()
    before = counted.hours()
    counted.restart()
    counted.settle()
    counted.turn(START + 3 * HOUR_MS)
    assert before[-1].received == 40
    assert counted.hours()[: len(before)] == before


def test_an_interval_of_the_agents_own_is_what_is_expected(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    own = schema_of(sender.host, ["agent_report_interval_seconds"])
    counted.send(sender, [sender.sample(own, [120.0], START + at * 2 * MINUTE) for at in range(30)], schema=own)
    counted.settle(3)
    assert [(hour.expected, hour.received) for hour in counted.hours()] == [(30, 30), (30, 0), (30, 0)]


def test_nobody_is_expected_before_he_enrolled_or_while_he_is_suspended(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    suspended = counted.centre.enrolled("srv2", "suspended")
    with counted.store.transaction() as connection:
        at = instant(START + 45 * MINUTE)
        connection.execute(agents.update().where(agents.c.id == sender.agent_id).values(enrolled_at=at))
    counted.turn(START)
    counted.settle(2)
    assert [hour.expected for hour in counted.hours()] == [PER_HOUR // 4, PER_HOUR]
    counted.centre.set_status(suspended, "active")
    counted.restart()
    counted.settle(3)
    assert counted.hour(2).expected == 2 * PER_HOUR


def test_a_collector_that_was_off_expects_what_it_missed(counted: Counted) -> None:
    counted.centre.enrolled()
    counted.turn(START)
    counted.restart()
    counted.settle(5)
    assert [hour.state for hour in counted.hours()] == ["nothing"] * 5


def test_who_was_not_to_report_and_did_was_complete(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.settle(1)
    counted.send_at(sender, counted.samples(sender, START - HOUR_MS, 15), START + 2 * HOUR_MS)
    counted.settle(2)
    hour = counted.hour(-1)
    assert (hour.expected, hour.received, hour.ratio) == (15, 15, 1.0)


def test_declared_losses_go_to_the_hours_between_their_neighbours(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    counted.send(sender, counted.samples(sender, START, PER_HOUR // 2))
    dropped = counted.samples(sender, START + HOUR_MS // 2, PER_HOUR)
    counted.send(sender, counted.samples(sender, START + HOUR_MS + HOUR_MS // 2, PER_HOUR // 2))
    sender.seq += 1
    loss = loss_record(sender.seq, START + 2 * HOUR_MS, 0, Loss(dropped[0].seq, dropped[-1].seq, "spool_full"))
    counted.send(sender, records=[loss])
    counted.settle(2)
    assert [dict(hour.lost) for hour in counted.hours()[:2]] == [{"declared": 30}, {"declared": 30}]
    assert [hour.state for hour in counted.hours()[:2]] == ["lost", "lost"]
    counted.send_at(sender, dropped[:20], START + 3 * HOUR_MS)  # a hub had them after all
    counted.settle(4)
    assert [dict(hour.lost) for hour in counted.hours()[:2]] == [{"declared": 10}, {"declared": 30}]
    counted.restart()
    counted.send_at(sender, dropped[20:], START + 4 * HOUR_MS)  # the rest while nobody counted
    counted.settle(5)
    assert [dict(hour.lost) for hour in counted.hours()[:2]] == [{}, {}]


@pytest.mark.parametrize("is_entrusted_first", [False, True])
def test_rolled_up_is_counted_apart(counted: Counted, is_entrusted_first: bool) -> None:
    """An agent gives up what its hub holds, and says so before the hub brings the roll-ups."""
    sender = counted.centre.enrolled()
    counted.turn(START)
    counted.send(sender, counted.samples(sender, START, 15))
    gone = counted.samples(sender, START + 15 * MINUTE, 30)
    counted.send(sender, counted.samples(sender, START + 45 * MINUTE, 15))
    records = [rolled(sender, schema_of(sender.host), gone[at : at + 5]) for at in range(0, 30, 5)]
    if is_entrusted_first:
        sender.seq += 1
        lost = Loss(gone[0].seq, gone[-1].seq, "entrusted")
        counted.send(sender, records=[loss_record(sender.seq, gone[-1].taken_at_ms, 0, lost)])
    counted.send(sender, records=records)
    counted.settle()
    hour = counted.hour()
    assert (hour.received, dict(hour.lost), hour.lost_for_good) == (30, {"rolled_up": 30}, 0)
    assert (hour.state, hour.ratio) == ("partial", 0.5)


def test_numbers_that_nobody_explains_are_missing_by_name(counted: Counted) -> None:
    """What a hub that drops some of what it was given looks like."""
    sender = counted.centre.enrolled()
    counted.turn(START)
    samples = counted.samples(sender, START, PER_HOUR)
    kept = samples[:20] + samples[23:]
    counted.send(sender, kept)
    counted.turn(START + HOUR_MS + MINUTE)
    assert [(gap.first, gap.last) for gap in counted.gaps()] == [(21, 23)]
    assert counted.hour().lost == {}
    counted.restart()
    counted.settle()
    assert dict(counted.hour().lost) == {"missing": 3}
    assert counted.hour().state == "lost"
    counted.send_at(sender, samples[20:23], START + 2 * HOUR_MS)
    counted.turn(START + 2 * HOUR_MS + MINUTE)
    assert counted.gaps() == []
    counted.turn(START + 2 * HOUR_MS + 30 * MINUTE)
    assert (dict(counted.hour().lost), counted.hour().state) == ({}, "late")


def test_a_backlog_that_still_drains_is_not_missing(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    samples = counted.samples(sender, START, PER_HOUR)
    counted.spooled[sender.host] = samples[20].taken_at_ms
    counted.send(sender, samples[:20] + samples[40:])
    counted.settle()
    assert [(gap.first, gap.last) for gap in counted.gaps()] == [(21, 40)]
    assert counted.hour().lost == {}
    counted.send_at(sender, samples[30:40], START + 2 * HOUR_MS)
    counted.turn(START + 2 * HOUR_MS + MINUTE)
    counted.spooled[sender.host] = START + 3 * HOUR_MS  # nothing so old any more, and ten never came
    counted.turn(START + 3 * HOUR_MS + MINUTE)
    assert dict(counted.hour().lost) == {"missing": 10}


def test_nothing_is_expected_while_agreed_work_goes_on(counted: Counted) -> None:
    sender, other = counted.centre.enrolled(), counted.centre.enrolled("srv2")
    span = (instant(START + 15 * MINUTE), instant(START + 45 * MINUTE))
    counted.agreed += [(("host", sender.host), span), (("host", "srv9.tokyo"), span), (("system", "x"), span)]
    counted.turn(START)
    samples = counted.samples(sender, START, PER_HOUR)
    counted.send(sender, samples[:15] + samples[45:])
    counted.send(other, counted.samples(other, START, PER_HOUR))
    counted.settle()
    assert (counted.hour().expected, counted.hour().received) == (PER_HOUR + 30, PER_HOUR + 30)
    counted.agreed[:] = [(("site", "abuja"), (instant(START), instant(START + 2 * HOUR_MS)))]
    counted.settle(2)
    assert [hour.expected for hour in counted.hours(1) if hour.hour_ms == START + HOUR_MS] == []


def test_an_epoch_that_was_given_up_lacks_nothing(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    samples = counted.samples(sender, START, 10)
    counted.send(sender, [samples[0], samples[9]])
    counted.turn(START + 30 * MINUTE)
    counted.settle()
    assert dict(counted.hour().lost) == {"missing": 8}
    sender.epoch, sender.seq = b"another!", 0
    counted.send(sender, counted.samples(sender, START + 2 * HOUR_MS, 1))
    counted.turn(START + 2 * HOUR_MS + MINUTE)
    assert counted.gaps() == []
    assert dict(counted.hour().lost) == {}


def test_old_hours_are_forgotten(counted: Counted) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    counted.send(sender, counted.samples(sender, START, 60))
    counted.settle()
    counted.turn(START + 100 * 24 * HOUR_MS)
    with counted.store.reading() as connection:
        oldest = connection.execute(select(host_hours.c.hour_ms).order_by(host_hours.c.hour_ms)).scalar()
    assert oldest is not None
    assert oldest >= START + 7 * 24 * HOUR_MS


@pytest.mark.parametrize("expired_ms", [16 * 24 * HOUR_MS])
def test_what_came_too_late_to_be_kept_is_expired(counted: Counted, expired_ms: int) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    old = counted.samples(sender, NOW_MS - expired_ms, 5)
    counted.send_at(sender, old, START + MINUTE)
    counted.send(sender, counted.samples(sender, START + 2 * MINUTE, 5))
    counted.settle()
    assert dict(counted.hour().lost) == {"expired": 5}


@pytest.mark.parametrize("is_restarted", [False, True])
def test_an_agent_in_order_costs_a_comparison(counted: Counted, is_restarted: bool) -> None:
    sender = counted.centre.enrolled()
    counted.turn(START)
    counted.send(sender, counted.samples(sender, START, 2))
    counted.turn(START + 3 * MINUTE)
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(counted.store.engine, "before_cursor_execute", note)
    if is_restarted:
        counted.restart()
    counted.send(sender, counted.samples(sender, START + 2 * MINUTE, 2))
    counted.turn(START + 5 * MINUTE)
    event.remove(counted.store.engine, "before_cursor_execute", note)
    assert [statement for statement in said if "INTO positions" in statement]
    assert not [statement for statement in said if "FROM lost_hours" in statement and "DELETE" in statement]
