"""Two hundred whole runs, in every trouble there is: agents that report to the centre directly, and behind hubs. Twenty more
with agents of a later version."""

from __future__ import annotations

from collections import Counter

import pytest
from seeds import Case, met, play, report

from collector.world.faults import FAULTS
from collector.world.faults_hub import BEHIND_HUBS
from collector.world.power import POINTS

DIRECT = [Case(seed) for seed in range(1_000, 1_130)]
HUBS = [Case(seed, hubs=1 + seed % 2) for seed in range(2_000, 2_070)]
LATER = [Case(seed, hubs=seed % 3, later=True) for seed in range(3_000, 3_020)]
happened: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", [*DIRECT, *HUBS, *LATER], ids=str)
def test_nothing_is_lost_doubled_or_invented(case: Case) -> None:
    world = play(case)
    if not case.later:
        happened[bool(case.hubs)].update(met(world))
    print(report(case, world))
    assert world.complaints == [], report(case, world)


@pytest.mark.parametrize(
    ("cases", "kinds"), [(DIRECT, {*FAULTS, *POINTS}), (HUBS, set(BEHIND_HUBS))], ids=["direct", "behind hubs"]
)
def test_every_trouble_came(cases: list[Case], kinds: set[str]) -> None:
    """Runs last, over what the runs before it met. That agents die at every point is for the runs without hubs."""
    seen = happened[bool(cases[0].hubs)]
    if sum(seen.values()) < len(cases):
        pytest.skip("not after a whole round")
    unmet = kinds - set(seen)
    assert not unmet, f"never happened in {len(cases)} runs: {sorted(unmet)}"
