"""What was acknowledged is there after the power went, exactly once; and the same test fails where it should.

A real collector works on a disk that drops unsynced writes. It is killed at named points and at random, the power goes,
it starts again. Senders keep what is not acknowledged and send it again, at about 200 reports a second.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from crowd import Crowd, enrol
from disk import Disk, mounted
from ledger import complaints, holes, stored
from lives import Lives, lives
from running import bongsu

from collector.store.engine import Store

CUTS = 50
"""Three in five fall between commit and answer, one before a commit, one anywhere."""
LONGEST_SECONDS = 30.0

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def collectors(tmp_path: Path) -> Iterator[Lives]:
    with lives(tmp_path / "collectors.log") as made:
        yield made


def prepare(disk: Disk) -> tuple[Path, Crowd]:
    data, crowd = disk.point / "data", Crowd()
    bongsu("init", data=data)
    store = Store(f"sqlite:///{data / 'bongsu.db'}")
    enrol(store, [member.sender for member in crowd.members])
    store.close()
    disk.sync_all()
    return data, crowd


def point_of(cut: int) -> str:
    return "after-commit" if cut % 5 < 3 else "before-commit" if cut % 5 == 3 else "never"


def live_and_die(collectors: Lives, data: Path, crowd: Crowd, point: str, chance: random.Random) -> None:
    """One life of the collector and its end, at the named point or from outside."""
    url = collectors.begin(data, point, chance.randint(1, 80))
    if point == "never":
        crowd.talk(url, chance.uniform(0.1, 1.5))
        collectors.kill()
    else:
        crowd.talk(url, LONGEST_SECONDS)
    assert collectors.end() == -signal.SIGKILL, "it was to die at its named point"


def test_everything_acknowledged_is_there_exactly_once(disk: Disk, collectors: Lives) -> None:
    data, crowd = prepare(disk)
    chance = random.Random(1)
    for cut in range(CUTS):
        live_and_die(collectors, data, crowd, point_of(cut), chance)
        disk.order("cut")
    collectors_rate = crowd.records / crowd.seconds
    crowd.drain(collectors.begin(data))
    found = stored(data)
    assert complaints(found, crowd) == []
    assert holes(found, crowd) == []
    print(
        f"\n{CUTS} power cuts, {sum(point_of(n) == 'after-commit' for n in range(CUTS))} of them between commit and answer; "
        f"{crowd.records} records, {crowd.answers} answers, {collectors_rate:.0f} reports a second while a collector was up"
    )


def test_a_disk_that_lies_about_its_syncs_is_found_out(disk: Disk, collectors: Lives) -> None:
    """The test of the test: without the sync, what was acknowledged is gone after a cut, and this sees it."""
    data, crowd = prepare(disk)
    disk.order("lie")
    crowd.talk(collectors.begin(data), 1.0)
    collectors.kill()
    collectors.end()
    disk.order("cut")
    try:
        found = stored(data)
    except Exception:  # noqa: BLE001 -- a database torn by a lying disk may not even open
        found = {}
    gone = [wrong for wrong in complaints(found, crowd) if "gone" in wrong]
    assert gone, "acknowledged records survived although nothing was ever synced: this test could not fail"


def test_a_collector_that_answers_before_its_commit_is_found_out(disk: Disk, collectors: Lives) -> None:
    """The test of the test: the disk is honest, the collector is not."""
    data, crowd = prepare(disk)
    chance = random.Random(2)
    for _ in range(5):
        live_and_die(collectors, data, crowd, "hasty", chance)
        disk.order("cut")
    gone = [wrong for wrong in complaints(stored(data), crowd) if "gone" in wrong]
    assert gone, "acknowledged records survived although the answer came before the commit: this test could not fail"
