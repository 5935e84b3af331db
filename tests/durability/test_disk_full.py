"""A collector and an agent on a real file system that runs full or breaks: they go on, say so, and recover by themselves."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_process import Agent, free_port
from crowd import Crowd, enrol
from disk import Disk, mounted
from fleet_log import read_log
from ledger import complaints, holes, stored
from lives import Lives, lives
from running import bongsu, wait_until
from sender import Sender

from agent.link.clock import Waiter
from agent.link.ranges import Ranges
from collector.fleet.keys import load_centre_key
from collector.store.engine import Store

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def collectors(tmp_path: Path) -> Iterator[Lives]:
    with lives(tmp_path / "collectors.log") as made:
        yield made


@pytest.mark.parametrize("trouble", ["room 60000", "room 0", "fail fsync", "fail write"])
def test_a_collector_answers_503_and_takes_everything_when_its_disk_is_well_again(
    disk: Disk, collectors: Lives, trouble: str
) -> None:
    """Twice while it runs; the second time the power goes as well, with the disk still in trouble."""
    data, crowd, chance = disk.point / "data", Crowd(), random.Random(3)
    bongsu("init", data=data)
    store = Store(f"sqlite:///{data / 'bongsu.db'}")
    enrol(store, [member.sender for member in crowd.members])
    store.close()
    disk.sync_all()
    url = collectors.begin(data)
    for _ in range(3):
        crowd.talk(url, chance.uniform(0.5, 1.0))
        refused = crowd.refused
        disk.order(trouble)
        crowd.talk(url, 1.5)
        assert crowd.refused > refused, "nobody was told that there is no room"
        disk.order("heal")
    answers = crowd.answers
    crowd.talk(url, 1.0)
    assert crowd.answers > answers, "it takes reports again by itself"
    disk.order(trouble)
    crowd.talk(url, 0.5)
    collectors.kill()
    assert collectors.end() == -signal.SIGKILL
    disk.order("cut")
    disk.order("heal")
    assert complaints(stored(data), crowd) == []
    crowd.drain(collectors.begin(data))
    found = stored(data)
    assert complaints(found, crowd) == []
    assert holes(found, crowd) == []
    print(f"\n{trouble}: {crowd.records} records, {crowd.answers} answers, {crowd.refused} times 503, none lost")


@pytest.mark.parametrize("trouble", ["room 20000", "fail fsync", "fail write"])
def test_an_agent_goes_on_without_its_disk_and_loses_nothing_that_memory_can_hold(
    disk: Disk, collectors: Lives, tmp_path: Path, trouble: str
) -> None:
    data, sender = tmp_path / "data", Sender("srv1.local")
    bongsu("init", data=data)
    store = Store(f"sqlite:///{data / 'bongsu.db'}")
    enrol(store, [sender])
    port = free_port()
    agent = Agent(disk.point / "agent", f"http://127.0.0.1:{port}", sender, load_centre_key(data).public)
    collectors.begin(data, port=port)
    agent.begin()
    try:
        Waiter().wait(1.5)
        disk.order(trouble)
        appended = len(agent.promised)
        wait_until(lambda: len(agent.promised) > appended + 400, "the agent to go on")
        disk.order("heal")
        agent.drain()
    finally:
        agent.close()
    found = read_log(store)
    store.close()
    values = [record for record in found.records.values() if record is not None]
    assert dict(values) == agent.promised
    assert len(values) == len(agent.promised) == len(set(values))
    assert not found.lost
    epochs = {epoch for _, epoch, _ in found.rows}
    assert len(epochs) == 2, "the disk's and memory's"
    for epoch in epochs:
        seqs = Ranges((seq, seq) for _, e, seq in sorted(found.rows) if e == epoch)
        assert seqs.as_lists() == [[1, seqs.last]]
