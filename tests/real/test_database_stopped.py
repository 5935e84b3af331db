"""PostgreSQL is stopped under a real collector and a real agent, and started again: both recover by themselves, and every
report is there once."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from postgres import Server, postgresql_server
from running import Running, bongsu, environment, start, stop, wait_until

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.postgres]
INTERVAL = 5
AWAY_SECONDS = 25.0


@pytest.fixture
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="bongsu-pg-"))
    try:
        with postgresql_server(folder) as made:
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def agent_of(collector: Running, folder: Path) -> Iterator[None]:
    said = bongsu("token", "create", "--site", "local", "--url", collector.url, data=collector.data)
    token = re.search(r"bongsu1\.\S+", said)
    assert token
    command = [sys.executable, "-m", "agent.cli"]
    data = ["--data", str(folder / "agent")]
    subprocess.run([*command, "enroll", "--token", token.group(), *data], check=True, env=environment(), timeout=60)
    config = folder / "agent.toml"
    config.write_text(f"interval_seconds = {INTERVAL}\n")
    with (folder / "agent.log").open("ab") as log:
        process = subprocess.Popen([*command, "run", "--config", str(config), *data], env=environment(), stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def taken_at(collector: Running) -> list[float]:
    """Times of everything that is stored, oldest first."""
    found = collector.json("/api/v1/query?query=node_load1[1h]")["data"]["result"]
    return sorted(at for series in found for at, _ in series["values"])


def test_nothing_is_missing_after_postgresql_was_stopped(tmp_path: Path, server: Server) -> None:
    data = tmp_path / "centre"
    data.mkdir()
    (data / "collector.toml").write_text(f'[store]\nurl = "{server.url}"\n')
    bongsu("init", data=data)
    collector = start(data)
    try:
        with agent_of(collector, tmp_path):
            wait_until(lambda: len(taken_at(collector)) >= 3, "reports", 60)
            server.stop("fast")
            time.sleep(AWAY_SECONDS)
            assert collector.get("/healthz")[0] == 200
            assert collector.get("/readyz")[0] == 503
            assert collector.get("/api/incidents")[0] == 503
            server.start()
            back = time.time()
            wait_until(lambda: collector.get("/readyz")[0] == 200, "the collector to be well again", 90)
            wait_until(lambda: len([at for at in taken_at(collector) if at > back]) >= 3, "reports of now", 90)
            wait_until(
                lambda: max(b - a for a, b in pairwise(taken_at(collector))) < 2.5 * INTERVAL, "those of meanwhile", 90
            )
        times = taken_at(collector)
        assert len(times) == len(set(times)), "each once"
    finally:
        stop(collector)
