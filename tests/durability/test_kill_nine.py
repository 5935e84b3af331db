"""Fifty real ``kill -9`` of a real agent or a real collector: each record is there once, at its time, and is shown once."""

from __future__ import annotations

import contextlib
import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from agent_process import Agent, free_port
from crowd import enrol
from fleet_log import FleetLog, read_log
from lives import lives
from running import Running, bongsu, start, stop
from sender import Sender

from agent.link.clock import Waiter
from agent.link.ranges import Ranges
from collector.fleet.keys import load_centre_key
from collector.store.engine import Store

KILLS = 50
HOST = "srv1.local"

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_fifty_times_kill_nine(tmp_path: Path) -> None:
    data, chance, kills = tmp_path / "data", random.Random(9), Counter[str]()
    bongsu("init", data=data)
    sender, store = Sender(HOST), Store(f"sqlite:///{data / 'bongsu.db'}")
    enrol(store, [sender])
    port = free_port()
    agent = Agent(tmp_path / "agent", f"http://127.0.0.1:{port}", sender, load_centre_key(data).public)
    with lives(tmp_path / "collectors.log") as collectors, contextlib.ExitStack() as stack:

        def begin_collector(is_whole_program: bool) -> Callable[[], None]:
            """How to kill it. The whole program takes longer to start than its heart."""
            if is_whole_program:
                running = start(data, port=port)
                stack.callback(stop, running)
                return running.kill
            collectors.begin(data, port=port)

            def kill() -> None:
                collectors.kill()
                assert collectors.end() == -signal.SIGKILL

            return kill

        kill_collector = begin_collector(False)
        agent.begin()
        stack.callback(agent.close)
        for number in range(KILLS):
            Waiter().wait(chance.uniform(0.3, 1.2))
            if chance.random() < 0.5:
                kills["agent"] += 1
                agent.kill()
                agent.begin()
            else:
                kills["collector"] += 1
                kill_collector()
                kill_collector = begin_collector(number % 10 == 0)
        kill_collector()
        running = start(data, port=port)
        agent.drain()
        shown = shown_in(running, min(agent.promised.values()), max(agent.promised.values()))
        stop(running)
    found = read_log(store)
    store.close()
    assert_whole(found, agent)
    stored = sorted((at_ms, value) for value, at_ms in (r for r in found.records.values() if r is not None))
    assert shown == stored
    rate = len(agent.promised) / agent.seconds
    print(
        f"\n{dict(kills)} kill -9; {len(agent.promised)} records at {rate:.0f} a second, {len(stored)} stored and shown"
    )


def assert_whole(found: FleetLog, agent: Agent) -> None:
    assert set(found.rows.values()) == {1}
    assert not found.lost
    values = Counter(record[0] for record in found.records.values() if record is not None)
    assert set(values.values()) == {1}
    stored = dict(record for record in found.records.values() if record is not None)
    assert {value: stored.get(value) for value in agent.promised} == agent.promised
    assert all(1_000_000 <= value < (agent.lives + 1) * 1_000_000 for value in stored)
    # An append that was cut off may have made it; more than the one at the moment of a kill nobody can have made.
    assert len(stored) - len(agent.promised) <= 10 * 2 * KILLS
    for epoch in {epoch for _, epoch, _ in found.rows}:
        seqs = Ranges((seq, seq) for _, e, seq in sorted(found.rows) if e == epoch)
        assert seqs.as_lists() == [[1, seqs.last]], "a hole in the numbers"


def shown_in(running: Running, first_ms: int, last_ms: int) -> list[tuple[int, float]]:
    """Every (time, value) that the query API shows of the host, minute by minute."""
    shown: list[tuple[int, float]] = []
    minute = 60_000
    for end in range(first_ms - 1, last_ms + 2 * minute, minute):
        query = f"/api/v1/query?query=node_load1%7Binstance%3D%22{HOST}%22%7D%5B1m%5D&time={end / 1000:.3f}"
        for series in running.json(query)["data"]["result"]:
            shown += [(round(float(at) * 1000), float(value)) for at, value in series["values"]]
    return sorted(shown)
