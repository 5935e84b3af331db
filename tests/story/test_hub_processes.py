"""Real processes: a centre, a hub, an agent. The agent enrols through the hub; the centre goes away, the hub is killed
outright, all come back; every report is at the centre once."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Running, bongsu, environment, start, stop, wait_until

pytestmark = pytest.mark.slow
SECONDS = 60.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


class Cast:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {"centre": free_port(), "hub": free_port()}
        self.running: dict[str, Running] = {}
        self.agent: subprocess.Popen[bytes] | None = None

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self, name: str) -> Running:
        self.running[name] = start(self.folder / name, port=self.ports[name])
        return self.running[name]

    def token(self, *words: str) -> str:
        found = re.search(r"bongsu1\.\S+", bongsu("token", "create", *words, data=self.folder / "centre"))
        assert found
        return found.group()

    def run_agent(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "agent.cli", *words, "--data", str(self.folder / "agent")]
        with (self.folder / "agent.log").open("ab") as log:
            return subprocess.Popen(command, env=environment(), stdout=log, stderr=log)

    def stored(self) -> list[int]:
        """Sequence numbers at the centre, one for each time it stored one."""
        answer = self.running["centre"].json("/api/v1/query?query=node_load1[1h]")["data"]["result"]
        return [round(at * 1000) for series in answer for at, _ in series["values"]]

    def end(self) -> None:
        if self.agent is not None:
            self.agent.terminate()
            self.agent.wait(20)
        for running in self.running.values():
            stop(running)


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    made = Cast(tmp_path)
    topology = tmp_path / "topology.toml"
    topology.write_text(
        '[[agencies]]\nid = "for"\n[[hubs]]\nid = "mea"\n'
        f'url = "{made.url("hub")}"\n'
        '[[sites]]\nid = "abuja"\nagency = "for"\nhub = "mea"\ntimezone = "Africa/Lagos"\n'
    )
    bongsu("init", data=tmp_path / "centre")
    bongsu("apply", str(topology), data=tmp_path / "centre")
    made.start("centre")
    token = made.token("--hub", "mea", "--url", made.url("centre"))
    bongsu("init", "--hub", "--token", token, data=tmp_path / "hub")
    hub_toml = tmp_path / "hub" / "hub.toml"
    hub_toml.write_text(hub_toml.read_text() + "registry_seconds = 1\n")
    made.start("hub")
    yield made
    made.end()


def test_cut_kill_and_return(cast: Cast) -> None:
    centre, hub = cast.running["centre"], cast.running["hub"]
    token = cast.token("--site", "abuja", "--url", cast.url("hub"))  # the hub alone: the agent cannot go round it
    assert cast.run_agent("enroll", "--token", token).wait(SECONDS) == 0
    config = cast.folder / "agent.toml"
    config.write_text("interval_seconds = 5\n")
    cast.agent = cast.run_agent("run", "--config", str(config))
    wait_until(lambda: len(cast.stored()) >= 2, "reports at the centre", SECONDS)
    assert centre.json("/api/hubs/mea")["state"] == 0

    stop(centre)
    seen = "bongsu_relay_pending_envelopes "
    wait_until(lambda: pending(hub, seen) >= 2, "the backlog to grow", SECONDS)
    hub.kill()
    hub.process.stdout.close()  # type: ignore[union-attr]
    hub = cast.start("hub")
    wait_until(lambda: pending(hub, seen) >= 4, "the backlog to grow on", SECONDS)
    centre = cast.start("centre")
    wait_until(lambda: pending(hub, seen) == 0, "the backlog to drain", 2 * SECONDS)

    assert cast.agent is not None
    cast.agent.send_signal(signal.SIGTERM)
    cast.agent.wait(20)
    cast.agent = None
    wait_until(lambda: held(hub) == held(centre), "the last report to arrive", SECONDS)
    stored = cast.stored()
    assert len(stored) == len(set(stored)), "each once"
    metrics = centre.get("/metrics")[1]
    assert 'site="abuja",result="expired"' not in metrics
    assert "bongsu_hub_envelopes_refused_total{" not in metrics


def pending(hub: Running, name: str) -> float:
    found = re.search(rf"^{re.escape(name)}(\S+)$", hub.get("/metrics")[1], re.M)
    return float(found[1]) if found else -1.0


def held(running: Running) -> list[float]:
    """Times of the last hour's reports, at whichever collector."""
    answer = running.json("/api/v1/query?query=node_load1[1h]")["data"]["result"]
    return [at for series in answer for at, _ in series["values"]]
