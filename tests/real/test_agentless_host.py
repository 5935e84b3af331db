"""A host without an agent, from OpenSSH to the site's metrics; and a broken neighbour that makes nobody late.

One real agent speaks for itself and for three machines behind SSH: one in order, one that hangs, one that floods. All
processes are real: collector, agent, sshd.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import openssh
import pytest
from running import Running, bongsu, collector, environment, wait_until

pytestmark = [pytest.mark.real, pytest.mark.slow]

TOPOLOGY = """
[[agencies]]
id = "local"
name_ko = "시험기관"
name_en = "Test agency"

[[sites]]
id = "local"
agency = "local"
name_ko = "시험 사이트"
name_en = "Test site"
timezone = "Asia/Seoul"
link_profile = "lan"
"""
HOST = """
[[hosts]]
name = "{name}"
site = "local"
agent = "gate.local"
"""


@dataclass
class Site:
    running: Running
    ssh: openssh.Server
    agent_data: Path
    config: Path


@contextmanager
def bad_neighbour(answer: bytes) -> Iterator[int]:
    """Something on a port that is no SSH server: says ``answer`` for ever, or nothing."""
    listening = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            taken.append(connection)
            if answer:
                threading.Thread(target=flood, args=(connection,), daemon=True).start()

    def flood(connection: socket.socket) -> None:
        try:
            while True:
                connection.sendall(answer * 1000)
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        for connection in taken:
            connection.close()


def target(name: str, port: int, ssh: openssh.Server) -> str:
    return f"""
[[targets]]
name = "{name}"
address = "127.0.0.1"
port = {port}
user = "{ssh.target.user}"
key_file = "{ssh.target.key_file}"
known_hosts = "{ssh.known_hosts}"
interval_seconds = 5
deadline_seconds = 3
profile = "full"
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    topology = tmp_path / "topology.toml"
    topology.write_text(TOPOLOGY + "".join(HOST.format(name=name) for name in ("db1", "hangs", "floods")))
    with (
        openssh.running(tmp_path / "db1") as ssh,
        bad_neighbour(b"") as hanging,
        bad_neighbour(b"x" * 1000) as flooding,
        collector(tmp_path / "data") as running,
    ):
        bongsu("apply", str(topology), data=running.data)
        token = re.search(
            r"bongsu1\.\S+", bongsu("token", "create", "--site", "local", "--url", running.url, data=running.data)
        )
        assert token
        config = tmp_path / "agent.toml"
        config.write_text(
            "interval_seconds = 5\n"
            + target("db1", ssh.port, ssh)
            + target("hangs", hanging, ssh)
            + target("floods", flooding, ssh)
        )
        data = tmp_path / "agent"
        agent("enroll", "--token", token.group(), "--name", "gate", "--data", str(data))
        yield Site(running, ssh, data, config)


def agent(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, done.stderr
    return done


@contextmanager
def running_agent(site: Site) -> Iterator[Path]:
    """The agent at work; what it says goes to the file yielded."""
    log = site.agent_data.parent / "agent.log"
    with log.open("w") as sink:
        command = [
            sys.executable,
            "-m",
            "agent.cli",
            "run",
            "--data",
            str(site.agent_data),
            "--config",
            str(site.config),
        ]
        process = subprocess.Popen(command, stdout=sink, stderr=sink, env=environment())
        try:
            yield log
        finally:
            process.terminate()
            assert process.wait(15) == 0


def series(site: Site, instance: str) -> dict[str, float]:
    """name{own labels} -> value of one instance, as Prometheus would scrape it now."""
    found = {}
    for line in site.running.get("/metrics/sites/local")[1].splitlines():
        if f'instance="{instance}"' in line:
            name, _, value = line.rpartition(" ")
            found[re.sub(r'(agency|hub|site|instance|job)="[^"]*",?', "", name)] = float(value)
    return found


def test_a_host_behind_ssh_is_a_host_like_any_other(site: Site) -> None:
    with running_agent(site):
        wait_until(lambda: series(site, "db1.local").get("node_load1{}") is not None, "numbers of db1.local")
        own, behind = series(site, "gate.local"), series(site, "db1.local")
        names = {name.partition("{")[0] for name in own if name.startswith("node_")}
        lacking = names - {name.partition("{")[0] for name in behind}
        assert {name for name in lacking if not name.startswith("node_timex_")} == set()
        assert behind["up{}"] == 1

        hosts = {host["id"]: host for host in site.running.json("/api/hosts")["items"]}
        assert hosts.keys() == {"gate.local", "db1.local", "hangs.local", "floods.local"}


@pytest.mark.slow
def test_a_hanging_and_a_flooding_host_make_nobody_late(site: Site) -> None:
    with running_agent(site):
        wait_until(lambda: 'bongsu_check_state{check="ssh"}' in series(site, "floods.local"), "a verdict on both")
        wait_until(lambda: 'bongsu_check_state{check="ssh"}' in series(site, "hangs.local"), "a verdict on both")
        wait_until(lambda: "node_load1{}" in series(site, "db1.local"), "numbers of db1.local")
        for bad in ("hangs.local", "floods.local"):
            assert series(site, bad)['bongsu_check_state{check="ssh"}'] == 2
        query = "/api/v1/query?query=node_time_seconds%5B40s%5D"

        def instants() -> dict[str, list[float]]:
            result = site.running.json(query)["data"]["result"]
            return {one["metric"]["instance"]: [at for at, _ in one["values"]] for one in result}

        wait_until(lambda: all(len(instants().get(h, ())) >= 5 for h in ("gate.local", "db1.local")), "five rounds", 60)
        for host in ("gate.local", "db1.local"):
            times = instants()[host]
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert max(gaps) < 8, f"{host} reported at {times}"


def test_a_changed_host_key_is_refused_in_words(site: Site, tmp_path: Path) -> None:
    seen = openssh.fingerprint(site.ssh.host_key)
    other = openssh.make_key(tmp_path / "other_key")
    site.ssh.pin(other)
    with running_agent(site):
        wait_until(lambda: series(site, "db1.local").get('bongsu_check_state{check="ssh"}') == 2, "the refusal")
        wait_until(lambda: seen in site.running.get("/hosts/db1.local?lang=en")[1], "the words on the host's page")
    page = site.running.get("/hosts/db1.local?lang=en")[1]
    assert openssh.fingerprint(other) in page, "beside the fingerprint seen, the one that is pinned"
    assert str(site.ssh.known_hosts) in page, "and the file to mend"
