"""The newcomer's one command: this machine's numbers on every surface, and nothing left behind at its end."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from running import Running, start, stop, wait_until

SITE = 'bongsu_site_state{agency="local",hub="",site="local"} '


def processes(data: Path) -> list[str]:
    """Command lines of everything that works on this data directory."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.startswith(str(data).encode()) for word in words):
            found.append(b" ".join(words).decode())
    return found


def reporting(running: Running) -> bool:
    return "node_cpu_seconds_total{" in running.get("/metrics/sites/local")[1]


@pytest.mark.parametrize(
    "ended_by",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_one_command_shows_this_machine_and_leaves_nothing_running(tmp_path: Path, ended_by: signal.Signals) -> None:
    data = tmp_path / "data"
    running = start(data, "--local-agent")
    try:
        wait_until(lambda: reporting(running), "this machine's numbers", 20)
        wait_until(lambda: SITE + "0\n" in running.get("/metrics")[1], "site local to be ok", 20)
        metrics = running.get("/metrics/sites/local")[1]
        names = {line.partition("{")[0] for line in metrics.splitlines() if line.startswith("node_")}
        assert len(names) > 150
        assert len(processes(data)) == 2
    finally:
        running.process.send_signal(ended_by)
        status = running.process.wait(20)
        stop(running)
    assert status == (-signal.SIGKILL if ended_by is signal.SIGKILL else 0)
    wait_until(lambda: processes(data) == [], "everything to be gone", 10)
