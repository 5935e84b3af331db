"""What Python looks at for cycles, and what it leaves alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from collector.garbage import EVERYTHING_EACH, Garbage


class Knot:
    """Refers to itself, so that only a look for cycles frees it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def garbage() -> Iterator[Garbage]:
    before = gc.get_threshold()
    found = Garbage()
    found.begin()
    yield found
    found.end()
    gc.set_threshold(*before)


def test_what_outlived_a_look_at_everything_is_set_aside_and_looked_at_now_and_then(garbage: Garbage) -> None:
    knot = Knot()
    known = weakref.ref(knot)
    gc.collect()
    assert gc.get_freeze_count() > 10_000, "this program with all its modules"
    del knot
    gc.collect()
    assert known() is not None, "set aside"
    young = weakref.ref(Knot())
    for _ in range(EVERYTHING_EACH):
        gc.collect()
        if young() is not None:
            raise AssertionError("what is new and dead goes at the next look")
        if known() is None:
            break
    assert known() is None


def test_it_ends_as_it_began(garbage: Garbage) -> None:
    gc.collect()
    garbage.end()
    assert gc.get_freeze_count() == 0
    garbage.begin()
