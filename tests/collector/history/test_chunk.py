"""Chunks give back every bit, whatever the values are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.link.names import ABSENT_WORD
from collector.history.chunk import (
    MAX_COUNT,
    MAX_SPAN_MS,
    BadChunk,
    Packed,
    Samples,
    pack,
    split,
    unpack,
    unpack_words,
)

SPECIAL = (
    ABSENT_WORD,
    0,
    1 << 63,  # -0.0
    0x7FF0000000000000,  # +Inf
    0xFFF0000000000000,  # -Inf
    0x7FF8000000000000,  # the usual NaN
    0x7FF8DEADBEEF0001,  # a NaN with something to say
    0xFFF0000000000001,  # a signalling NaN
    0x7FF0000000000001,
    1,  # the smallest subnormal
    0xFFFFFFFFFFFFFFFF,
)
WORDS = st.one_of(st.sampled_from(SPECIAL), st.integers(0, (1 << 64) - 1))
INSTANTS = st.integers(-(1 << 53), 1 << 53)


@st.composite
def many_samples(draw: st.DrawFn) -> Samples:
    count = draw(st.integers(1, 12))
    width = draw(st.integers(1, 8))
    numbers = st.lists(INSTANTS, min_size=count, max_size=count)
    words = draw(st.lists(st.lists(WORDS, min_size=count, max_size=count), min_size=width, max_size=width))
    return Samples(
        np.array(draw(numbers), np.int64),
        np.array(draw(numbers), np.int64),
        np.array(draw(numbers), np.int64),
        np.array(words, np.uint64),
    )


@settings(deadline=None)
@given(many_samples())
def test_what_comes_back_is_what_went_in(samples: Samples) -> None:
    back = unpack(len(samples.times), pack(samples))
    for before, after in zip(samples, back, strict=True):
        assert before.shape == after.shape
        assert (before == after).all()


@settings(deadline=None)
@given(many_samples(), st.data())
def test_chosen_columns_are_the_same_columns(samples: Samples, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(samples.words) - 1), unique=True))
    found = unpack_words(len(samples.times), pack(samples).data, np.array(chosen, np.intp))
    assert (found == samples.words[chosen]).all()


@settings(deadline=None)
@given(many_samples())
def test_pieces_hold_each_sample_once_in_order_of_time(samples: Samples) -> None:
    pieces = list(split(samples))
    before = sorted(zip(samples.times.tolist(), samples.seqs.tolist(), samples.words.T.tolist(), strict=True))
    after = [
        row
        for piece in pieces
        for row in zip(piece.times.tolist(), piece.seqs.tolist(), piece.words.T.tolist(), strict=True)
    ]
    assert [row[0] for row in after] == sorted(row[0] for row in after)
    assert sorted(after) == before


def ordinary(count: int, step_ms: int) -> Samples:
    at = np.arange(count, dtype=np.int64)
    return Samples(at * step_ms, at * 0, at + 1, np.zeros((2, count), np.uint64))


@pytest.mark.parametrize(
    ("count", "step_ms", "expected"),
    [
        (1, 15_000, [1]),
        (MAX_COUNT, 15_000, [240]),
        (MAX_COUNT + 1, 15_000, [240, 1]),
        (500, 1_000, [240, 240, 20]),
        (121, 60_000, [60, 60, 1]),
        (3, MAX_SPAN_MS, [1, 1, 1]),
    ],
)
def test_pieces_are_short_in_instants_and_in_time(count: int, step_ms: int, expected: list[int]) -> None:
    assert [len(piece.times) for piece in split(ordinary(count, step_ms))] == expected


def test_values_that_stay_cost_nothing() -> None:
    samples = ordinary(240, 15_000)
    packed = pack(samples._replace(words=np.full((300, 240), 0x40F0000000000001, np.uint64)))
    assert sum(map(len, packed)) < 2_000  # of 576,000


def test_damage_is_told_from_values() -> None:
    packed = pack(ordinary(10, 15_000))
    for damaged, count in (
        (packed._replace(data=packed.data[:-3]), 10),
        (packed._replace(data=b"not zstd"), 10),
        (packed._replace(times=b""), 10),
        (packed, 7),
        (packed, 0),
    ):
        with pytest.raises(BadChunk):
            unpack(count, Packed(*damaged))
    with pytest.raises(BadChunk):
        unpack_words(10, packed.data, np.array([2], np.intp))
