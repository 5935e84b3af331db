"""One seed, one run: how every test here makes its world, and how a failing one is kept."""

from __future__ import annotations

import json
import logging
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from collector.world.faults import FAULTS
from collector.world.faults_hub import HUB_FAULTS
from collector.world.world import World

REGRESSIONS = Path(__file__).parent / "regressions"


class Case(NamedTuple):
    """``hubs`` 0: agents report to the centre directly. ``later``: all agents are of a later version."""

    seed: int
    hubs: int = 0
    later: bool = False

    def __str__(self) -> str:
        return f"seed{self.seed}-hubs{self.hubs}{'-later' * self.later}"


def play(case: Case, troubles: Sequence[str] = ()) -> World:
    """Run the world of a case to its end; ``troubles``: only these kinds."""
    chosen = {name: (FAULTS | HUB_FAULTS)[name] for name in troubles} or None
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # the troubles are meant
    try:
        with tempfile.TemporaryDirectory(prefix="bongsu-world-") as folder:
            world = World(case.seed, Path(folder), hubs=case.hubs, faults=chosen, later_agents=case.later)
            world.run()
            return world
    finally:
        logging.disable(before)


def met(world: World) -> Counter[str]:
    """Troubles and deaths of a run, by name."""
    return Counter(world.happened) + sum((agent.deaths for agent in world.agents), Counter[str]())


def report(case: Case, world: World) -> str:
    """What happened in a run, and what is wrong, for people."""
    promised = sum(len(agent.promised) for agent in world.agents)
    lost = sum(world.ledger.reasons.values())
    lines = [
        f"{case}: {promised} promised, {len(world.ledger.rows)} records stored, {lost} declared lost "
        f"{dict(world.ledger.reasons)}, {sum(station.deaths for station in world.stations.values())} deaths of collectors, "
        f"{sum(agent.deaths.total() for agent in world.agents)} of agents; troubles {dict(world.happened)}",
        *world.complaints[:20],
    ]
    return "\n  ".join(lines)


def kept() -> list[Case]:
    """Runs that once failed."""
    files = sorted(REGRESSIONS.glob("*.json"))
    return [
        Case(found["seed"], found["hubs"], found.get("later", False))
        for found in (json.loads(file.read_text("utf-8")) for file in files)
    ]


def keep(case: Case, world: World) -> Path:
    """Write a failing run down, to be run for ever after."""
    file = REGRESSIONS / f"{case}.json"
    said = {"seed": case.seed, "hubs": case.hubs, "later": case.later, "complaints": world.complaints[:5]}
    file.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return file
