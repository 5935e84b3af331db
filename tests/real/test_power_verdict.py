"""Mains lost, then silence: a real agent with a real NUT tells the first, and its death is then put down to the power."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nut import Nut, dummy_ups
from running import Running, bongsu, collector, environment, wait_until

pytestmark = [pytest.mark.real, pytest.mark.slow]
DEGRADED, DOWN = 3, 4


@contextmanager
def agent(data: Path, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-m", "agent.cli", "run", "--data", str(data), "--config", str(config)]
    with (data.parent / "agent.log").open("ab") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment())
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def verdict(centre: Running) -> Any:
    return centre.json("/api/verdicts/site/local")


def enrolled(centre: Running, data: Path) -> None:
    token = bongsu(
        "token", "create", "--site", "local", "--host", "ups1", "--url", centre.url, data=centre.data
    ).split()[0]
    argv = [sys.executable, "-m", "agent.cli", "enroll", "--data", str(data), "--token", token]
    subprocess.run(argv, check=True, capture_output=True, env=environment())


def cut_and_silence(centre: Running, nut: Nut, process: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: verdict(centre)["state"] == 0, "the site to be ok")
    nut.say("OB DISCHRG", 61, 0.0)
    wait_until(lambda: verdict(centre)["state"] == DEGRADED, "the site to be on battery")
    assert verdict(centre)["reason"] == "on_battery"
    process.kill()
    wait_until(lambda: verdict(centre)["state"] == DOWN, "the silence to be judged", 60)


def test_silence_after_mains_were_lost_is_a_power_cut(tmp_path: Path) -> None:
    folder = tmp_path / "nut"
    folder.mkdir()
    with dummy_ups(folder) as nut, collector(tmp_path / "centre") as centre:
        enrolled(centre, tmp_path / "agent")
        config = tmp_path / "agent.toml"
        config.write_text(f'interval_seconds = 5\n[[ups]]\nserver = "{nut.server}"\n')
        with agent(tmp_path / "agent", config) as process:
            cut_and_silence(centre, nut, process)
        said = verdict(centre)
        assert said["reason"] == "power"
        assert [fact["subject"] for fact in said["evidence"] if fact["code"] == "on_battery"] == ["ups1.local"]
        nut.say("OL CHRG", 64, 231.0)
        with agent(tmp_path / "agent", config):
            wait_until(lambda: verdict(centre)["state"] == 0, "the site to be back", 60)
