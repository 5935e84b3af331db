"""Many whole runs: agents behind one hub or two, in every trouble there is."""

from __future__ import annotations

from collections import Counter

import pytest
from seeds import Case, play, report

from collector.world.faults_hub import BEHIND_HUBS

CASES = [Case(seed, hubs=1 + seed % 2) for seed in range(2_000, 2_060)]
happened: Counter[str] = Counter()

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_is_lost_doubled_or_invented(case: Case) -> None:
    world = play(case)
    happened.update(world.happened)
    happened.update(agent_died for agent in world.agents for agent_died in agent.deaths)
    print(report(case, world))
    assert world.complaints == [], report(case, world)


def test_every_trouble_came() -> None:
    """Runs last, over what the runs before it met. That agents die at every point is for the runs without hubs."""
    if sum(happened.values()) < len(CASES):
        pytest.skip("not after a whole round")
    unmet = set(BEHIND_HUBS) - set(happened)
    assert not unmet, f"never happened in {len(CASES)} runs: {sorted(unmet)}"
