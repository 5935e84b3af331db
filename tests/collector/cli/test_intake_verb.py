"""``bongsu intake DIR`` as a program: beside a collector that runs, and where none does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from running import bongsu, collector, environment
from sender import Sender, request
from small_fleet import enrolled

from agent.link.clock import SystemClock
from collector.settings import Settings
from collector.store.engine import Store


def intake(*words: str, data: Path) -> tuple[int, Any, str]:
    """(exit code, what it prints as JSON, its errors)"""
    command = [sys.executable, "-m", "collector.cli", "intake", *words, "--json", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def write(folder: Path, sender: Sender, count: int) -> None:
    for _ in range(count):
        envelope = sender.report(SystemClock().wall_ms())
        name = f"{sender.agent_id.hex()}-{sender.epoch.hex()}-{sender.seq:016}-{sender.seq:016}.bongsu"
        (folder / name).write_bytes(request(envelope))


@pytest.mark.slow
def test_beside_a_running_collector_and_without_one(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "in"
    folder.mkdir()
    bongsu("init", data=data)
    store = Store(Settings(data_dir=data).store_url)
    sender = enrolled(store)
    store.close()

    write(folder, sender, 2)
    code, said, errors = intake(str(folder), data=data)
    assert (code, said, errors) == (0, {"files": 2, "problems": [], "missing": []}, "")

    with collector(data) as running:
        write(folder, sender, 1)
        sender.seq += 2
        write(folder, sender, 1)
        code, said, errors = intake(str(folder), "--delete", data=data)
        assert code == 1, errors
        assert (said["files"], [(gap["first"], gap["last"]) for gap in said["missing"]]) == (2, [(4, 5)])
        found = running.json("/api/hosts/" + sender.host)
        assert found["agent"] == sender.agent_id.hex()
        assert "node_load1" in running.get("/metrics/sites/local")[1]
    assert len(list((folder / "done").iterdir())) == 2

    code, said, errors = intake(str(tmp_path / "nowhere"), data=data)
    assert (code, said) == (1, None)
    assert "no such directory" in errors
