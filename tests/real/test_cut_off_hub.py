"""A hub is cut off and killed, an agent with it; afterwards everything is there once, also in Prometheus.

All programs are real, on a line of 100 ms between two network namespaces: centre and Prometheus at the far end, a hub
and three agents at the near one. While the line is cut the hub and one agent are killed with -9 and started again.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from namespaces import FAR, NEAR, Joined, joined
from real import require
from running import bongsu, environment, wait_until
from sqlalchemy import select

from agent.link.ranges import Ranges
from collector.log.positions import read_accepted
from collector.log.tables import envelopes, losses
from collector.store.engine import Store

pytestmark = [pytest.mark.real, pytest.mark.slow]

COLLECTOR, AGENT = [sys.executable, "-m", "collector.cli"], [sys.executable, "-m", "agent.cli"]
CENTRE_URL, HUB_URL, PROMETHEUS_URL = f"http://{FAR}:8650", f"http://{NEAR}:8651", "http://127.0.0.1:9090"
HOSTS = ("srv1", "srv2", "srv3")
INTERVAL = 15
CUT_SECONDS = 50.0
KILLED_SECONDS = 60.0
"""An agent that was killed measured nothing until it was started again."""
CLOCK = "node_time_seconds"
Samples = dict[tuple[tuple[str, str], ...], dict[int, float]]
TOPOLOGY = f"""
[[agencies]]
id = "for"

[[hubs]]
id = "mea"
url = "{HUB_URL}"

[[sites]]
id = "abuja"
agency = "for"
hub = "mea"
timezone = "Africa/Lagos"
link_profile = "lan"
"""
REMOTE_WRITE = f"""
[[remote_write]]
name = "prometheus"
url = "{PROMETHEUS_URL}/api/v1/write"
order = "ordered"
horizon_seconds = 3600
"""
PROMETHEUS = "storage:\n  tsdb:\n    out_of_order_time_window: 1h\n"


class Stage:
    """The programs and where they run."""

    def __init__(self, line: Joined, folder: Path, stack: ExitStack) -> None:
        self.line = line
        self.folder = folder
        self.stack = stack
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.token = ""

    def start(self, name: str, inside: Sequence[str], argv: Sequence[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen([*inside, *argv], stdout=log, stderr=log, env=environment())
        self.running[name] = process
        self.stack.callback(_end, process)

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def data(self, name: str) -> Path:
        return self.folder / name

    def said(self, inside: Sequence[str], argv: Sequence[str]) -> str:
        done = subprocess.run([*inside, *argv], capture_output=True, text=True, check=False, env=environment())
        assert done.returncode == 0, done.stderr
        return done.stdout

    # ------------------------------------------------------------ the programs

    def start_centre(self) -> None:
        data = self.data("centre")
        (self.folder / "topology.toml").write_text(TOPOLOGY, "utf-8")
        bongsu("init", data=data)
        bongsu("apply", str(self.folder / "topology.toml"), data=data)
        self.token = max(bongsu("api-token", "create", "test", data=data).split(), key=len)
        with (data / "collector.toml").open("a") as file:
            file.write(REMOTE_WRITE)
        serve = [*COLLECTOR, "serve", "--data", str(data), "--host", FAR, "--port", "8650", "--behind-proxy"]
        self.start("centre", self.line.far, serve)
        wait_until(lambda: self.line.ask(self.line.far, f"{CENTRE_URL}/readyz") is not None, "the centre", 120)

    def start_prometheus(self) -> None:
        folder = self.folder / "prometheus"
        folder.mkdir()
        (folder / "prometheus.yml").write_text(PROMETHEUS)
        argv = [require("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        argv += ["--web.listen-address=127.0.0.1:9090", "--web.enable-remote-write-receiver", "--log.level=warn"]
        self.start("prometheus", self.line.far, argv)
        ready = f"{PROMETHEUS_URL}/-/ready"
        wait_until(lambda: self.line.ask(self.line.far, ready) is not None, "Prometheus", 120)

    def join_hub(self) -> None:
        said = bongsu("token", "create", "--hub", "mea", "--url", CENTRE_URL, data=self.data("centre"))
        words = ["init", "--hub", "--token", _token(said), "--data", str(self.data("hub"))]
        self.said(self.line.near, [*COLLECTOR, *words])

    def start_hub(self) -> None:
        options = ["--host", NEAR, "--port", "8651", "--behind-proxy"]
        self.start("hub", self.line.near, [*COLLECTOR, "serve", "--data", str(self.data("hub")), *options])
        wait_until(lambda: self.line.ask(self.line.near, f"{HUB_URL}/readyz") is not None, "the hub", 120)

    def join_agent(self, host: str) -> None:
        urls = ["--url", HUB_URL, "--url", CENTRE_URL]
        said = bongsu("token", "create", "--site", "abuja", "--host", host, *urls, data=self.data("centre"))
        words = ["enroll", "--token", _token(said), "--data", str(self.data(host))]
        self.said(self.line.near, [*AGENT, *words])

    def start_agent(self, host: str) -> None:
        self.start(host, self.line.near, [*AGENT, "run", "--data", str(self.data(host))])

    # ------------------------------------------------------------ looking

    def oldest_live_seconds(self) -> float:
        """How old the oldest of what the centre shows as now is; many where one host is missing."""
        page = self.line.ask(self.line.far, f"{CENTRE_URL}/metrics/sites/abuja", self.token) or ""
        found = re.findall(r'node_time_seconds\{[^}]*instance="[^"]*"[^}]*\} ([0-9.e+]+)', page)
        return time.time() - min(map(float, found)) if len(found) == len(HOSTS) else 1e9

    def samples(self, url: str, at: float, token: str = "") -> Samples:
        """Every sample of the host series of the last hour, by series and milliseconds."""
        found: Samples = {}
        for one in self._query(url, '{__name__=~"node_.+",site="abuja"}[1h]', at, token):
            values = {round(taken * 1000): float(value) for taken, value in one["values"]}
            found[tuple(sorted(one["metric"].items()))] = values
        return found

    def _query(self, url: str, query: str, at: float, token: str) -> list[dict[str, Any]]:
        form = urllib.parse.urlencode({"query": query, "time": f"{at:.3f}"})
        said = self.line.ask(self.line.far, f"{url}/api/v1/query?{form}", token)
        assert said is not None, f"{url}: no answer to {query}"
        found: list[dict[str, Any]] = json.loads(said)["data"]["result"]
        return found


def _token(said: str) -> str:
    found = re.search(r"bongsu1\.\S+", said)
    assert found, said
    return found.group()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    with joined("--rtt-ms", "100") as line, ExitStack() as stack:
        made = Stage(line, folder, stack)
        made.start_prometheus()
        made.start_centre()
        made.join_hub()
        made.start_hub()
        for host in HOSTS:
            made.join_agent(host)
            made.start_agent(host)
        yield made


def test_everything_is_there_once_after_a_cut_and_two_kills(tmp_path: Path) -> None:
    with stage(tmp_path) as world:
        wait_until(lambda: world.oldest_live_seconds() < INTERVAL + 5, "all three hosts on the board", 90)
        world.line.order("cut")
        began = time.monotonic()
        time.sleep(CUT_SECONDS / 2)
        world.kill("hub")
        world.kill("srv2")
        world.start_hub()
        world.start_agent("srv2")
        time.sleep(max(0.0, CUT_SECONDS - (time.monotonic() - began)))
        world.line.order("mend")
        mended = time.monotonic()
        wait_until(lambda: world.oldest_live_seconds() < INTERVAL + 2, "current values", 120)
        current_after = time.monotonic() - mended
        for host in HOSTS:
            wait_until(lambda host=host: _waiting(world, host) <= 3, f"{host} to be through with its backlog", 90)  # type: ignore[misc]
            world.kill(host)
        at = time.time()
        wait_until(lambda: not _differences(world, at), "Prometheus to have what our history has", 90)
        ours = world.samples(CENTRE_URL, at, world.token)
        stored, lost = _numbers(world.data("centre"))
    assert set(stored.values()) == {1}, "each record once"
    assert lost == 0
    for agent, epoch in {name[:2] for name in stored}:
        held = Ranges((seq, seq) for a, e, seq in sorted(stored) if (a, e) == (agent, epoch))
        assert held.as_lists() == [[1, held.last]], "no number is missing"
    clocks = {dict(labels)["instance"]: kept for labels, kept in ours.items() if ("__name__", CLOCK) in labels}
    assert sorted(clocks) == [f"{host}.abuja" for host in HOSTS]
    for host, kept in clocks.items():
        gaps = [(b - a) / 1000 for a, b in pairwise(sorted(kept))]
        longest = KILLED_SECONDS if host.startswith("srv2") else 2 * INTERVAL
        assert max(gaps) < longest, f"{host} has no hole where the line was cut: {gaps}"
        assert max(abs(at_ms / 1000 - value) for at_ms, value in kept.items()) < 1.0, "at the time it was taken"
    counts = {host: len(kept) for host, kept in clocks.items()}
    print(
        f"\ncurrent {current_after:.0f} s after the line came back; {len(ours)} series, samples of each host {counts}"
    )
    assert current_after < 2 * INTERVAL + 2, "two intervals"


def _waiting(world: Stage, host: str) -> int:
    """Records the centre has not settled, as the agent says."""
    said = world.said([], [*AGENT, "status", "--json", "--data", str(world.data(host))])
    return int(json.loads(said)["spool_records"])


def _differences(world: Stage, at: float) -> list[str]:
    """Series that are not the same, sample for sample, in our history and in Prometheus."""
    ours, theirs = world.samples(CENTRE_URL, at, world.token), world.samples(PROMETHEUS_URL, at)
    return [str(dict(labels)) for labels in ours.keys() | theirs.keys() if ours.get(labels) != theirs.get(labels)]


def _numbers(data: Path) -> tuple[Counter[tuple[bytes, bytes, int]], int]:
    """How often each record is stored, and how many numbers were declared lost."""
    store = Store(f"sqlite:///{data / 'bongsu.db'}")
    counts: Counter[tuple[bytes, bytes, int]] = Counter()
    with store.reading() as connection:
        for row in connection.execute(select(envelopes.c.agent_id, envelopes.c.epoch, envelopes.c.accepted)):
            counts.update((row.agent_id, row.epoch, seq) for seq in read_accepted(row.accepted).seqs)
        lost = sum(r.last_seq - r.first_seq + 1 for r in connection.execute(select(losses)))
    store.close()
    return counts, lost
