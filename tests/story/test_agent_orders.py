"""An agent under orders: the centre's policy takes hold while it runs, its key is rotated, and it hands reports in as files."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Running, bongsu, collector, environment, wait_until

from collector.fleet.topology_default import TEXT

pytestmark = [pytest.mark.real, pytest.mark.slow]

AGENT = [sys.executable, "-m", "agent.cli"]
POLICY = """
[[policies]]
id = "quick"
sites = ["local"]
interval_seconds = 5
checks = { off = ["bonding"] }
processes = [{ name = "no-such-process-here" }]
"""


def verb(*words: str) -> str:
    done = subprocess.run([*AGENT, *words], capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


def metric(running: Running, name: str) -> list[str]:
    """The lines of one series of the local site."""
    _, text = running.get("/metrics/sites/local")
    return [line for line in text.splitlines() if line.startswith((name + "{", name + " "))]


@pytest.fixture(scope="module")
def joined(tmp_path_factory) -> Iterator[tuple[Running, Path]]:
    folder = tmp_path_factory.mktemp("orders")
    with collector(folder / "data") as running:
        token = bongsu("token", "create", "--site", "local", "--url", running.url, data=running.data)
        text = re.findall(r"bongsu1\.\S+", token)[0]
        verb("enroll", "--token", text, "--data", str(folder / "agent"))
        (folder / "agent.toml").write_text('[checks]\ndisable = ["zfs"]\n')
        yield running, folder


@pytest.fixture
def agent(joined) -> Iterator[subprocess.Popen[str]]:
    _, folder = joined
    words = ["run", "--data", str(folder / "agent"), "--config", str(folder / "agent.toml")]
    process = subprocess.Popen([*AGENT, *words], stderr=subprocess.PIPE, text=True, env=environment())
    yield process
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


def status(folder: Path) -> dict[str, object]:
    try:
        return json.loads((folder / "agent" / "status.json").read_bytes())
    except FileNotFoundError:
        return {}


def test_a_policy_takes_hold_without_a_restart_and_the_file_wins(joined, agent):
    running, folder = joined
    wait_until(lambda: metric(running, "agent_report_interval_seconds"), "the first report")
    assert metric(running, "agent_report_interval_seconds")[0].endswith(" 15.0")
    (folder / "topology.toml").write_text(TEXT + POLICY)
    bongsu("apply", str(folder / "topology.toml"), data=running.data)
    wait_until(lambda: status(folder).get("policy_version") == 2, "the policy", 120.0)
    wait_until(lambda: metric(running, "agent_report_interval_seconds")[0].endswith(" 5.0"), "the interval", 60.0)
    (info,) = metric(running, "agent_policy_info")
    assert 'overridden="checks"' in info
    assert agent.poll() is None
    wait_until(lambda: "no-such-process-here" in running.get("/metrics/sites/local")[1], "the watched process", 30.0)
    described = verb("status", "--data", str(folder / "agent"))
    assert "agent.toml decides checks" in described


def test_a_key_is_rotated_under_the_running_agent(joined, agent):
    _, folder = joined
    wait_until(lambda: status(folder).get("pid") == agent.pid, "the agent")
    assert "Key 2 is in force" in verb("enroll", "--rotate", "--data", str(folder / "agent"))
    wait_until(lambda: not (folder / "agent" / "agent.key").exists(), "the former key to be forgotten", 60.0)
    before = status(folder)["records_sent"]
    wait_until(lambda: status(folder)["records_sent"] > before, "a report under the new key", 40.0)
    assert status(folder)["hold"] == ""


def test_what_it_measured_without_a_line_comes_in_as_files(joined):
    running, folder = joined
    out = folder / "out"
    out.mkdir()
    for _ in range(2):
        verb("export", str(out), "--once", "--data", str(folder / "agent"))
    files = sorted(out.glob("*.bongsu"))
    assert len(files) == 2
    said = json.loads(bongsu("intake", str(out), "--json", "--url", running.url, data=running.data))
    assert (said["files"], said["problems"], said["missing"]) == (2, [], [])
