"""The test of the tests: each fault planted on purpose is found by some seed."""

from __future__ import annotations

import pytest
from mutants import MUTANTS
from seeds import Case, play

# A world that ends in the middle leaves its loops behind, and the next test would be blamed for them.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


def complaint(case: Case, troubles: tuple[str, ...]) -> str:
    """The first thing wrong in a run, "" where nothing is; an agent that cannot go on is wrong, too."""
    try:
        world = play(case, troubles)
    except AssertionError as why:
        return f"the run ended: {why}"
    return world.complaints[0] if world.complaints else ""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = MUTANTS[name]
    mutant.plant(monkeypatch)
    for seed in range(mutant.seeds):
        if said := complaint(Case(seed, mutant.hubs), mutant.troubles):
            print(f"{name}: found by seed {seed}: {said}")
            return
    pytest.fail(f"{name}: {mutant.seeds} runs saw nothing wrong")


@pytest.mark.parametrize(("hubs", "troubles"), sorted({(m.hubs, m.troubles) for m in MUTANTS.values()}))
def test_the_same_runs_are_well_without_it(hubs: int, troubles: tuple[str, ...]) -> None:
    for seed in range(2):
        assert play(Case(seed, hubs), troubles).complaints == []
