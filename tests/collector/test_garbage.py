"""What Python looks at for cycles, and what it leaves alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from collector.garbage import EVERYTHING_EACH, MANY, Garbage


class Knot:
    """Refers to itself, so that only a look for cycles frees it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def garbage() -> Iterator[Garbage]:
    found = Garbage()
    found.begin()
    yield found
    found.end()


def test_what_outlived_a_look_is_set_aside_and_looked_at_now_and_then(garbage: Garbage) -> None:
    knot = Knot()
    known = weakref.ref(knot)
    garbage.look()
    assert gc.get_freeze_count() > 10_000, "this program with all its modules"
    del knot
    garbage.look()
    assert known() is not None, "set aside"
    young = weakref.ref(Knot())
    looks = 0
    while known() is not None and looks < EVERYTHING_EACH:
        garbage.look()
        assert young() is None, "what is new and dead goes at the next look"
        looks += 1
    assert known() is None
    assert looks > EVERYTHING_EACH / 2, "not before"


def test_python_looks_by_itself_only_where_very_much_is_new(garbage: Garbage) -> None:
    known = weakref.ref(Knot())
    some = [[] for _ in range(MANY // 2)]
    assert known() is not None
    some += [[] for _ in range(MANY)]
    assert known() is None, f"{len(some)} were made"


def test_it_ends_as_it_began() -> None:
    before = gc.get_threshold()
    garbage = Garbage()
    garbage.begin()
    garbage.end()
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
