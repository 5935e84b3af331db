"""Roll-ups at the intake: what they stand for is accounted for and not asked again, and wrong ones are refused whole."""

from __future__ import annotations

from typing import Any

import pytest
from centre import NOW_MS, Centre
from rollups import altered, rolled
from sender import Sender, request, schema_of
from sqlalchemy import select

from agent.link.model import Loss, Sample, Schema, StateChange, encode, loss_record, state_record
from agent.link.receipt import open_receipt
from collector.log.tables import losses

DAY_MS = 86_400_000


def taken(sender: Sender, count: int = 4, ago_ms: int = 3_600_000) -> tuple[Schema, list[Sample]]:
    schema = schema_of(sender.host, ["node_load1", "node_load5"], ["disk"])
    return schema, [sender.sample(schema, [1.0, 2.0, 0.0], NOW_MS - ago_ms + at * 1000) for at in range(count)]


def lost(centre: Centre) -> list[tuple[int, int, str]]:
    with centre.store.reading() as connection:
        columns = (losses.c.first_seq, losses.c.last_seq, losses.c.reason)
        return [tuple(row) for row in connection.execute(select(*columns).order_by(losses.c.first_seq))]  # type: ignore[misc]


def test_its_numbers_are_accounted_for_with_it(centre: Centre) -> None:
    sender = centre.enrolled()
    schema, samples = taken(sender)
    record = rolled(sender, schema, samples)
    answer = centre.answer(request(sender.envelope([], [schema.packed], [record])))
    assert not answer.envelopes
    assert answer.agents[0].held == [(1, 5)]
    receipt = open_receipt(answer.agents[0].receipt, centre.key.public, sender.agent_id)
    assert receipt.ranges == [(1, 5)]
    assert lost(centre) == [(1, 4, "rolled_up")]
    assert not centre.live.hosts
    centre.stop()
    centre.start()
    assert centre.positions.peek((sender.agent_id, sender.epoch)) == [(1, 5)]
    again = centre.answer(request(sender.envelope([], [], [record])))
    assert (again.envelopes, again.agents[0].held) == ([], [(1, 5)])
    assert lost(centre) == [(1, 4, "rolled_up")]


def test_what_arrived_before_it_or_after_it_counts(centre: Centre) -> None:
    sender = centre.enrolled()
    schema, samples = taken(sender)
    record = rolled(sender, schema, samples)
    centre.answer(request(sender.envelope([samples[0]], [schema.packed])))
    centre.answer(request(sender.envelope([], [], [record])))
    assert lost(centre) == [(2, 4, "rolled_up")]
    centre.answer(request(sender.envelope([samples[2]])))
    position = centre.positions.get((sender.agent_id, sender.epoch), NOW_MS)
    assert (position.held.as_lists(), position.lost.as_lists()) == ([[1, 1], [3, 3], [5, 5]], [[2, 2], [4, 4]])


def test_what_lies_between_stays_to_be_delivered(centre: Centre) -> None:
    sender = centre.enrolled()
    schema, samples = taken(sender, 2)
    sender.seq += 1
    change = state_record(sender.seq, NOW_MS, 0, StateChange(sender.host, "disk", 2, 0, "full"))
    more = taken(sender, 2)[1]
    record = rolled(sender, schema, [*samples, *more])
    answer = centre.answer(request(sender.envelope([], [schema.packed], [record])))
    assert answer.agents[0].held == [(1, 2), (4, 6)]
    assert centre.answer(request(sender.envelope([], [], [change]))).agents[0].held == [(1, 6)]


def test_roll_ups_of_hosts_in_turn_are_one_row(centre: Centre) -> None:
    sender = centre.enrolled()
    schemas = [schema_of(sender.host, [name]) for name in ("node_load1", "node_load5")]
    samples = [sender.sample(schemas[at % 2], [1.0], NOW_MS - 9_000 + at) for at in range(6)]
    records = [rolled(sender, schema, samples[at::2]) for at, schema in enumerate(schemas)]
    centre.answer(request(sender.envelope([], [schema.packed for schema in schemas], records)))
    assert lost(centre) == [(1, 6, "rolled_up")]


def test_one_whose_schema_is_missing_waits_for_it(centre: Centre) -> None:
    sender = centre.enrolled()
    schema, samples = taken(sender)
    record = rolled(sender, schema, samples)
    answer = centre.answer(request(sender.envelope([], [], [record])))
    assert answer.need_schemas == [schema.hash.hex()]
    assert answer.agents[0].held == [(1, 5)]
    assert centre.post(encode([schema.packed]), "/v1/schemas")[0] == 200
    assert not centre.writer.wanted


@pytest.mark.parametrize("kind", ["roll-up", "loss"])
def test_one_that_is_too_old_to_be_kept_still_accounts_for_its_numbers(centre: Centre, kind: str) -> None:
    sender = centre.enrolled()
    schema, samples = taken(sender, ago_ms=16 * DAY_MS)
    if kind == "roll-up":
        record = rolled(sender, schema, samples)
    else:
        sender.seq += 1
        record = loss_record(sender.seq, samples[0].taken_at_ms, 0, Loss(1, 4, "spool_full"))
    answer = centre.answer(request(sender.envelope([], [schema.packed], [record])))
    assert answer.agents[0].held == [(1, 5)]
    assert (
        lost(centre)
        == {
            "roll-up": [(1, 5, "expired")],  # nothing stands for them here
            "loss": [(1, 4, "spool_full"), (5, 5, "expired")],
        }[kind]
    )


@pytest.mark.parametrize("word", ["rolled_up", "expired"])
def test_nobody_declares_a_loss_in_our_words(centre: Centre, word: str) -> None:
    sender = centre.enrolled()
    sender.seq = 4
    record = loss_record(5, NOW_MS, 0, Loss(1, 4, word))
    centre.answer(request(sender.envelope([], [], [record])))
    assert lost(centre) == [(1, 4, "declared")]


W = bytes(8)
WRONG: dict[str, tuple[int, Any]] = {
    "no list": (0, "1-4"),
    "of nothing": (10, []),
    "a number that is none": (10, [[1, 2.5]]),
    "from zero": (10, [[0, 4]]),
    "backwards": (10, [[4, 1]]),
    "of itself": (10, [[1, 5]]),
    "of numbers to come": (10, [[1, 900]]),
    "a range that is not its ranges'": (0, [1, 3]),
    "a short schema hash": (1, b"short"),
    "no schema hash": (1, 7),
    "ends before it begins": (2, NOW_MS + 1),
    "no time": (3, "now"),
    "last too short": (4, W * 2),
    "last of half a word": (4, W * 2 + b"half"),
    "one count too many": (5, W * 4),
    "low too long": (6, W * 4),
    "high too short": (7, W * 2),
    "no total": (8, None),
    "a reset nobody has": (9, W),
}


@pytest.mark.parametrize(("place", "value"), WRONG.values(), ids=WRONG.keys())
def test_wrong_ones_are_refused_whole(centre: Centre, place: int, value: Any) -> None:
    sender = centre.enrolled()
    schema, samples = taken(sender)
    record = altered(rolled(sender, schema, samples), place, value)
    answer = centre.answer(request(sender.envelope([], [schema.packed], [record])))
    assert [(r.action, r.code) for r in answer.envelopes] == [("drop", "malformed")]
    assert lost(centre) == []


def test_one_of_another_width_than_its_schema_is_refused(centre: Centre) -> None:
    sender = centre.enrolled()
    schema, samples = taken(sender)
    narrow = schema_of(sender.host, ["node_load1"])
    record = altered(rolled(sender, schema, samples), 1, narrow.hash)
    answer = centre.answer(request(sender.envelope([], [narrow.packed], [record])))
    assert [(r.action, r.code) for r in answer.envelopes] == [("drop", "malformed")]
    assert "3 columns, its schema has 1" in answer.envelopes[0].text
