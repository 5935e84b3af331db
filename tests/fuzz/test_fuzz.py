"""Wrong bytes for everything that reads what others wrote: no crash, no surprise, bounded memory.

A case that fails is printed with its seed and bytes; put the bytes into ``kept/<target>-<what it was>.bin``.
"""

from __future__ import annotations

import resource
import time
from itertools import islice
from typing import Any

import msgspec
import pytest
from mutator import cases, kept, trees
from targets import TARGETS, Target, is_admitted

QUICK_CASES = {"segment": 200, "spool": 25, "envelope": 700, "body": 600, "schema": 2_000, "enrolment": 2_000,
               "answer": 1_500, "registry": 1_500, "registry_signed": 500}  # fmt: skip
"""A third of a second each; the same cases every time."""
SLOW_SECONDS = 60.0
MOST_GROWTH_KIB = 300 << 10
"""An envelope may unpack to 64 MiB, and several copies of that are made on the way."""


@pytest.mark.parametrize("name", TARGETS)
def test_wrong_bytes_are_survived(name: str) -> None:
    run(name, seed=1, count=QUICK_CASES[name], seconds=30.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_wrong_bytes_are_survived_for_a_minute(name: str) -> None:
    seed = time.time_ns() % 1_000_000
    print(f"\n{name}: seed {seed}, {run(name, seed, 1 << 60, SLOW_SECONDS)} cases")


@pytest.mark.parametrize("name", TARGETS)
def test_right_bytes_are_right(name: str) -> None:
    """Else everything after the first look at them would never be reached."""
    target = TARGETS[name]
    for case in target.corpus():
        target.feed(case)


def test_right_envelopes_are_admitted_and_the_bomb_is_not() -> None:
    plain, bomb, several = TARGETS["envelope"].corpus()
    assert [is_admitted(plain), is_admitted(bomb), is_admitted(several)] == [True, False, True]


def run(name: str, seed: int, count: int, seconds: float) -> int:
    """How many cases were survived."""
    target, done = TARGETS[name], 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end = time.monotonic() + seconds
    made = trees(seed, target.corpus()) if target.is_tree else cases(seed, target.corpus())
    for case in map(as_case(target), kept(name)):
        feed(target, case, f"{name}: kept")
    for done, case in enumerate(islice(made, count), 1):
        feed(target, case, f"{name}: seed {seed}, case {done}")
        if done % 50 == 0 and time.monotonic() > end:
            break
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MOST_GROWTH_KIB, f"{name}: memory grew by {grown >> 10} MiB"
    return done


def as_case(target: Target) -> Any:
    return msgspec.msgpack.decode if target.is_tree else bytes


def feed(target: Target, case: Any, where: str) -> None:
    try:
        target.feed(case)
    except target.raises:
        pass
    except Exception as why:
        packed = msgspec.msgpack.encode(case) if target.is_tree else case
        raise AssertionError(f"{where}: {type(why).__name__}: {why}: {packed.hex()[:4_000]}") from why
