"""Agents that lose their power at any moment, over a bad network: nothing is lost in silence, nothing is there twice.

The product's spool and sender on modelled disks, straight into the product's intake, in virtual time and from a seed.
"""

from __future__ import annotations

import pytest
from centre import Centre
from fleet_log import complaints, read_log
from machines import BEFORE_SEND
from virtual_world import TICK_MS, World

TICKS = 150
KILLS = 90
SEEDS = (1, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_record_is_at_the_centre_once_or_declared_lost_once(quick_centre: Centre, seed: int) -> None:
    world = World(quick_centre, seed)
    world.run(TICKS, KILLS)
    found = read_log(quick_centre.store)
    assert complaints(found, world.machines) == []
    assert world.deaths[BEFORE_SEND] >= 20
    assert world.deaths.total() >= 50
    assert world.unreached() == []
    assert sum(machine.forks for machine in world.machines) == 0
    assert found.lost, "the small spools were to overflow"
    promised = sum(len(machine.promised) for machine in world.machines)
    print(
        f"\nseed {seed}: {world.deaths.total()} deaths {dict(world.deaths)}, {world.restarts} restarts of the centre, "
        f"{promised} records at {promised / (TICKS * TICK_MS / 1000):.0f} a second, {len(found.rows)} stored, "
        f"{sum(b - a + 1 for spans in found.lost.values() for a, b in spans)} declared lost, faults {dict(world.faults)}"
    )


def test_disks_whose_sync_does_nothing_are_found_out(quick_centre: Centre) -> None:
    """The test of the test."""
    world = World(quick_centre, 1, disks_sync=False)
    world.run(TICKS // 4, KILLS // 4)
    assert any("is gone" in wrong for wrong in complaints(read_log(quick_centre.store), world.machines))
