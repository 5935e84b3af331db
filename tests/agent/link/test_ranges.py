"""Ranges against the plainest model there is: a set of numbers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.link.ranges import Ranges

pairs = st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda p: (p[0], p[0] + p[1]))
steps = st.lists(st.tuples(st.sampled_from(["add", "remove"]), pairs), max_size=30)


def build(doings: list[tuple[str, tuple[int, int]]]) -> tuple[Ranges, set[int]]:
    ranges, model = Ranges(), set[int]()
    for what, (first, last) in doings:
        if what == "add":
            ranges.add(first, last)
            model |= set(range(first, last + 1))
        else:
            ranges.remove(first, last)
            model -= set(range(first, last + 1))
    return ranges, model


@given(steps, pairs)
def test_ranges_are_a_set(doings: list[tuple[str, tuple[int, int]]], asked: tuple[int, int]) -> None:
    ranges, model = build(doings)
    numbers = set(range(asked[0], asked[1] + 1))
    assert {n for a, b in ranges for n in range(a, b + 1)} == model
    assert ranges.count == len(model)
    assert ranges.last == max(model, default=0)
    assert ranges.covers(*asked) == (numbers <= model)
    assert {n for a, b in ranges.gaps(*asked) for n in range(a, b + 1)} == numbers - model
    assert all((n in ranges) == (n in model) for n in range(1, 80))


@given(steps)
def test_ranges_are_sorted_disjoint_and_never_touch(doings: list[tuple[str, tuple[int, int]]]) -> None:
    lists = build(doings)[0].as_lists()
    assert all(a <= b for a, b in lists)
    assert all(one[1] + 1 < two[0] for one, two in pairwise(lists))


@pytest.mark.parametrize("bad", [(0, 1), (5, 4), (-3, 2)])
def test_a_range_that_is_none(bad: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected 1 <= first <= last"):
        Ranges([bad])


def test_a_copy_goes_its_own_way() -> None:
    one = Ranges([(1, 3)])
    two = one.copy()
    two.add(4)
    assert (one.as_lists(), two.as_lists()) == ([[1, 3]], [[1, 4]])
