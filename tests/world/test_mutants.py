"""The test of the tests: each fault planted on purpose is found by some seed."""

from __future__ import annotations

import pytest
from mutants import MUTANTS
from seeds import Case, play

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = MUTANTS[name]
    mutant.plant(monkeypatch)
    for seed in range(mutant.seeds):
        world = play(Case(seed, mutant.hubs), mutant.troubles)
        if world.complaints:
            print(f"{name}: found by seed {seed}: {world.complaints[0]}")
            return
    pytest.fail(f"{name}: {mutant.seeds} runs saw nothing wrong")


@pytest.mark.parametrize(("hubs", "troubles"), sorted({(m.hubs, m.troubles) for m in MUTANTS.values()}))
def test_the_same_runs_are_well_without_it(hubs: int, troubles: tuple[str, ...]) -> None:
    for seed in range(2):
        assert play(Case(seed, hubs), troubles).complaints == []
