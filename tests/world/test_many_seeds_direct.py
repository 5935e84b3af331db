"""Many whole runs: agents that report to the centre directly, in every trouble there is."""

from __future__ import annotations

from collections import Counter

import pytest
from seeds import Case, play, report

from collector.world.faults import FAULTS
from collector.world.power import POINTS

CASES = [Case(seed) for seed in range(1_000, 1_130)]
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
    """Runs last, over what the runs before it met."""
    if sum(happened.values()) < len(CASES):
        pytest.skip("not after a whole round")
    unmet = {*FAULTS, *POINTS} - set(happened)
    assert not unmet, f"never happened in {len(CASES)} runs: {sorted(unmet)}"
