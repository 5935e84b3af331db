"""Samples put together: a table of small columns and what must come out, and putting together in two steps as in one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.link.model import ABSENT, Sample, Series, make_schema, pack_values
from agent.link.names import COUNTER, GAUGE
from agent.link.ranges import Ranges
from agent.link.rollup import (
    RollUp,
    _values,
    counters_of,
    merge,
    renumbered,
    roll_up,
    rollup_of,
    rollup_record,
)

NAN = math.nan
INF = math.inf


def of(column: list[float | None], *, is_counter: bool = False, before: list[float | None] | None = None) -> RollUp:
    samples = [Sample(n, 1_000 * n, 7, b"h" * 16, pack_values([value])) for n, value in enumerate(column, 1)]
    return roll_up(samples, [is_counter], pack_values(before) if before else b"")


@pytest.mark.parametrize(
    ("column", "last", "count", "low", "high", "total"),
    [
        ([1.0], 1.0, 1.0, 1.0, 1.0, 1.0),
        ([3.0, 1.0, 2.0], 2.0, 3.0, 1.0, 3.0, 6.0),
        ([-3.0, -1.5], -1.5, 2.0, -3.0, -1.5, -4.5),
        ([None, 5.0, None], 5.0, 1.0, 5.0, 5.0, 5.0),
        ([None, None], None, 0.0, None, None, None),
        ([1.0, NAN, 2.0], 2.0, 3.0, 1.0, 2.0, 3.0),
        ([1.0, NAN], NAN, 2.0, 1.0, 1.0, 1.0),
        ([NAN], NAN, 1.0, None, None, None),
        ([INF, 1.0], 1.0, 2.0, 1.0, INF, INF),
        ([INF, -INF], -INF, 2.0, -INF, INF, NAN),
    ],
)
def test_of_what_is_no_counter(column, last, count, low, high, total):
    made = of(column)
    got = [_values(words)[0] for words in (made.last, made.counts, made.low, made.high, made.total)]
    assert list(map(repr, got)) == list(map(repr, (last, count, low, high, total)))
    assert made.resets == b""


@pytest.mark.parametrize(
    ("column", "before", "last", "count", "resets"),
    [
        ([1.0, 2.0, 3.0], None, 3.0, 3.0, 0.0),
        ([5.0, 1.0, 3.0, 2.0], None, 2.0, 4.0, 2.0),
        ([5.0, None, 4.0], None, 4.0, 2.0, 1.0),
        ([1.0, 2.0], [9.0], 2.0, 2.0, 1.0),
        ([1.0, 2.0], [1.0], 2.0, 2.0, 0.0),
        ([None, 2.0], [9.0], 2.0, 1.0, 1.0),
        ([None], [9.0], None, 0.0, 0.0),
        ([1.0], [None], 1.0, 1.0, 0.0),
    ],
)
def test_of_a_counter(column, before, last, count, resets):
    made = of(column, is_counter=True, before=before)
    assert [_values(words)[0] for words in (made.last, made.counts, made.resets)] == [last, count, resets]
    assert made.low == made.high == made.total == b""


def test_columns_keep_the_order_of_the_schema_and_checks_are_no_counters():
    schema = make_schema(
        (Series("h", "a_total", COUNTER, ()), Series("h", "b", GAUGE, ()), Series("h", "c_total", COUNTER, ())),
        (("h", "x"),),
    )
    counters = counters_of(schema.packed)
    assert counters == [True, False, True, False]
    rows = [(1.0, 10.0, 5.0, 0.0), (2.0, 30.0, 4.0, 2.0)]
    samples = [Sample(n + 7, 60_000 * n, 5, schema.hash, pack_values(list(row))) for n, row in enumerate(rows)]
    made = roll_up(samples, counters)
    assert (made.replaces, made.schema_hash, made.began_ms, made.ended_ms) == (Ranges([(7, 8)]), schema.hash, 5, 60_005)
    assert made.last == pack_values([2.0, 30.0, 4.0, 2.0])
    assert made.counts == pack_values([2.0] * 4)
    assert (made.low, made.high) == (pack_values([10.0, 0.0]), pack_values([30.0, 2.0]))
    assert made.total == pack_values([40.0, 2.0])
    assert made.resets == pack_values([0.0, 1.0])


whole_numbers = st.one_of(st.none(), st.integers(-1_000, 1_000).map(float))


@given(st.lists(st.tuples(whole_numbers, whole_numbers), min_size=2, max_size=12), st.data())
@settings(max_examples=100, deadline=None)
def test_in_two_steps_it_is_what_it_is_in_one(rows, data):
    samples = [Sample(n, n, 0, b"h" * 16, pack_values(list(row))) for n, row in enumerate(rows, 1)]
    cut = data.draw(st.integers(1, len(rows) - 1))
    counters = [True, False]
    known = [ABSENT]
    for sample in samples[:cut]:
        known = [sample.values[:8] if sample.values[:8] != ABSENT else known[0]]
    before = known[0] + ABSENT
    parts = [roll_up(samples[:cut], counters), roll_up(samples[cut:], counters, before)]
    assert merge(parts, counters) == roll_up(samples, counters)


def test_a_fall_between_two_roll_ups_is_seen_even_where_the_later_one_could_not_know():
    parts = [of([8.0, 9.0], is_counter=True), of([1.0, 2.0], is_counter=True)]
    assert _values(merge(parts, [True]).resets) == [1.0]


def test_the_record_says_what_it_was_made_of():
    made = of([1.0, None, 3.0])._replace(replaces=Ranges([(4, 5), (9, 9)]))
    record = rollup_record(12, 3_000, 7, made)
    assert rollup_of(record) == made
    assert record.data[0] == [4, 9]
    again = rollup_of(renumbered(record, 40, 20))
    assert again == made._replace(replaces=Ranges([(20, 22)]))
    assert rollup_of(record._replace(data=[*record.data[:10], record.data[10], "later"])) == made
    assert rollup_of(record._replace(kind=4)) is None


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, [0, 9]), (0, [9, 4]), (0, 3), (1, b"short"), (2, 10**18), (2, "x"), (4, b"1234567"), (5, b""), (10, [[1, 2]])],
)
def test_a_record_that_is_none_by_its_shape_is_refused(at, value):
    record = rollup_record(12, 3_000, 7, of([1.0])._replace(replaces=Ranges([(4, 9)])))
    data = list(record.data)
    data[at] = value
    with pytest.raises(ValueError, match="roll-up 12"):
        rollup_of(record._replace(data=data))
