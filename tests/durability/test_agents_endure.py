"""Agents that lose their power at any moment, over a bad network: nothing is lost in silence, nothing is there twice.

The product's spool and sender on modelled disks, straight into the product's intake, in virtual time and from a seed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from centre import Centre
from fleet_log import complaints, read_log
from machines import BEFORE_SEND
from sqlalchemy import event
from world import TICK_MS, World

from collector.store.engine import Store

TICKS = 300
KILLS = 90
SEEDS = (1, 2, 3)


@pytest.fixture
def centre(tmp_path: Path, sqlite_template: Path) -> Iterator[Centre]:
    path = tmp_path / "bongsu.db"
    path.write_bytes(sqlite_template.read_bytes())
    made = Centre(Store(f"sqlite:///{path}"))
    # Here the centre's process is killed and never its machine, so its syncs would cost time and show nothing.
    event.listen(made.store.engine, "connect", _do_not_sync)
    made.plant()
    made.start()
    yield made
    made.stop()
    made.store.close()


def _do_not_sync(raw: sqlite3.Connection, _entry: object) -> None:
    raw.execute("PRAGMA synchronous=OFF")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_record_is_at_the_centre_once_or_declared_lost_once(centre: Centre, seed: int) -> None:
    world = World(centre, seed)
    world.run(TICKS, KILLS)
    found = read_log(centre.store)
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


def test_disks_whose_sync_does_nothing_are_found_out(centre: Centre) -> None:
    """The test of the test."""
    world = World(centre, 1, disks_sync=False)
    world.run(TICKS // 5, KILLS // 5)
    assert any("is gone" in wrong for wrong in complaints(read_log(centre.store), world.machines))
