"""``bongsu-agent run`` killed with SIGKILL a few times: its numbers have no hole and nothing stands there twice."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from running import Running, bongsu, collector, environment, wait_until
from sqlalchemy import select

from agent.link.ranges import Ranges
from collector.log.positions import read_accepted
from collector.log.tables import envelopes, losses
from collector.store.engine import Store

KILLS = 4
AGENT = [sys.executable, "-m", "agent.cli"]

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_killing_the_agent_leaves_no_hole(tmp_path: Path) -> None:
    with collector(tmp_path / "data") as running:
        token = bongsu("token", "create", "--site", "local", "--url", running.url, data=running.data)
        found = re.search(r"bongsu1\.\S+", token)
        assert found
        words = ["enroll", "--token", found.group(), "--data", str(tmp_path / "agent")]
        done = subprocess.run([*AGENT, *words], capture_output=True, text=True, check=False, env=environment())
        assert done.returncode == 0, done.stderr
        for _ in range(KILLS):
            live_until_killed(running, tmp_path)
        counts, lost = numbers(running.data)
    assert set(counts.values()) == {1}
    assert lost == 0
    for epoch in {epoch for epoch, _ in counts}:
        held = Ranges((seq, seq) for e, seq in sorted(counts) if e == epoch)
        assert held.as_lists() == [[1, held.last]]


def live_until_killed(running: Running, folder: Path) -> None:
    """One life, until the centre has heard of it."""
    before = len(numbers(running.data)[0])
    with (folder / "agent.log").open("a") as log:
        process = subprocess.Popen(
            [*AGENT, "run", "--data", str(folder / "agent")], stdout=log, stderr=log, env=environment()
        )
    try:
        wait_until(lambda: len(numbers(running.data)[0]) > before, "a report of the agent")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def numbers(data: Path) -> tuple[Counter[tuple[bytes, int]], int]:
    """How often each (epoch, seq) is stored, and how many losses were declared."""
    store = Store(f"sqlite:///{data / 'bongsu.db'}")
    counts: Counter[tuple[bytes, int]] = Counter()
    with store.reading() as connection:
        for row in connection.execute(select(envelopes.c.epoch, envelopes.c.accepted)):
            counts.update((row.epoch, seq) for seq in read_accepted(row.accepted).seqs)
        lost = len(connection.execute(select(losses.c.id)).all())
    store.close()
    return counts, lost
