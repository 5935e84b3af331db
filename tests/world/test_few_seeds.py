"""A few whole runs of the world, and what once failed: every record once or declared lost, caps held, now is now."""

from __future__ import annotations

import pytest
from seeds import Case, kept, play, report

FEW = [Case(1), Case(35), Case(2, hubs=1)]


@pytest.mark.parametrize("case", FEW, ids=str)
def test_nothing_is_lost_doubled_or_invented(case: Case) -> None:
    world = play(case)
    print(report(case, world))
    assert world.complaints == [], report(case, world)


@pytest.mark.slow
@pytest.mark.parametrize("case", kept(), ids=str)
def test_what_once_failed_holds(case: Case) -> None:
    world = play(case)
    assert world.complaints == [], report(case, world)


def test_one_seed_is_one_run() -> None:
    first, second = play(Case(7)), play(Case(7))
    assert first.happened == second.happened
    assert sorted(first.ledger.rows) == sorted(second.ledger.rows)
    assert first.ledger.lost == second.ledger.lost
