"""The same checks here and over a real OpenSSH server, and what such a server shows of refused keys and kept connections."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from openssh import Server, fingerprint, make_key, running
from real import require

from agent.checks.base import UNKNOWN, CheckFailed, DeadlineExceeded, Host, Sample, State
from agent.checks.local import LocalHost
from agent.checks.runner import run_check
from agent.checks.table import DEFAULT, load
from agent.link.clock import SystemClock
from agent.remote.known_hosts import HostKeyRefused
from agent.remote.ssh import SshHost

pytestmark = pytest.mark.real

LOCAL_ONLY = {"timex"}
"""adjtimex(2) is a call, not a file: no command of a plain system prints it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("ssh") / "srv1") as started:
        yield started


@pytest.fixture
def host(server: Server) -> Iterator[SshHost]:
    server.pin(server.host_key)
    reached = SshHost(server.target)
    yield reached
    reached.close()


def series(name: str, host: Host) -> set[tuple[object, ...]]:
    outcome = run_check(load(name), host)
    return {
        (result.name, result.type, result.labels) if isinstance(result, Sample) else (result.check, result.state)
        for result in outcome.results
        if isinstance(result, Sample | State)
    }


@pytest.mark.parametrize("name", [name for name in DEFAULT if name not in LOCAL_ONLY])
def test_a_check_gives_the_same_series_here_and_over_ssh(name: str, host: SshHost) -> None:
    here, there = series(name, LocalHost()), series(name, host)
    assert {row[0] for row in here} == {row[0] for row in there}
    assert here == there


def test_a_whole_collection_is_rich_and_faultless(host: SshHost) -> None:
    outcomes = {name: run_check(load(name), host) for name in DEFAULT}
    assert {name: outcome.text for name, outcome in outcomes.items() if outcome.state == UNKNOWN} == {}
    assert sum(isinstance(result, Sample) for outcome in outcomes.values() for result in outcome.results) > 200
    assert host.connections == 1


def test_changed_host_key_is_refused_with_both_fingerprints(server: Server, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    server.pin(other)
    with pytest.raises(HostKeyRefused) as caught:
        SshHost(server.target).read("/proc/loadavg")
    for part in (
        fingerprint(server.host_key),
        fingerprint(other),
        f"[127.0.0.1]:{server.port}",
        str(server.known_hosts),
    ):
        assert part in str(caught.value)
    require("ssh-keygen")
    subprocess.run(["sh", "-c", caught.value.command], check=True, capture_output=True)
    again = SshHost(server.target)
    assert again.read("/proc/loadavg")
    again.close()


def test_unknown_host_key_is_refused(server: Server) -> None:
    server.known_hosts.write_text("")
    with pytest.raises(HostKeyRefused, match="not known") as caught:
        SshHost(server.target).read("/proc/loadavg")
    assert caught.value.seen == fingerprint(server.host_key)


def test_what_ssh_keyscan_writes_is_taken(server: Server) -> None:
    said = subprocess.run(
        [require("ssh-keyscan"), "-H", "-p", str(server.port), "-t", "ed25519", "127.0.0.1"],
        check=True,
        capture_output=True,
        text=True,
    )
    server.known_hosts.write_text(said.stdout)
    assert said.stdout.startswith("|1|")
    host = SshHost(server.target)
    assert host.read("/proc/loadavg")
    host.close()


def test_wrong_key_file_is_told(server: Server, host: SshHost, tmp_path: Path) -> None:
    wrong = make_key(tmp_path / "wrong")
    with pytest.raises(CheckFailed, match="was refused") as caught:
        SshHost(server.with_(key_file=str(wrong))).read("/proc/loadavg")
    for part in (str(wrong), fingerprint(wrong), "authorized_keys"):
        assert part in str(caught.value)


def test_login_through_an_ssh_agent(
    server: Server, host: SshHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    keeper = subprocess.Popen(
        [require("ssh-agent"), "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.PIPE, text=True
    )
    assert keeper.stdout is not None
    try:
        assert "SSH_AUTH_SOCK" in keeper.stdout.readline()
        by_agent = SshHost(server.with_(key_file="", use_agent=True))
        with pytest.raises(CheckFailed, match="none offered"):
            by_agent.read("/proc/loadavg")
        subprocess.run([require("ssh-add"), "-q", str(server.folder / "user_key")], check=True, capture_output=True)
        by_agent = SshHost(server.with_(key_file="", use_agent=True))
        assert by_agent.read("/proc/loadavg")
        by_agent.close()
    finally:
        keeper.terminate()
        keeper.wait(5)
        keeper.stdout.close()


def test_a_key_that_may_do_nothing_but_this_is_enough(server: Server, host: SshHost) -> None:
    """The line to put into authorized_keys: no terminal, no forwarding, and always the one shell asked for."""
    keys = server.folder / "authorized_keys"
    free = keys.read_text()
    keys.write_text(f'restrict,from="127.0.0.1",command="sh" {free}')
    try:
        assert host.read_tree("/proc/loadavg")
        assert host.run(["uname"]).stdout == "Linux\n"
    finally:
        keys.write_text(free)


def test_one_connection_carries_collections(server: Server, host: SshHost) -> None:
    before = server.log.count("Accepted publickey")
    for _ in range(3):
        for name in ("cpu", "memory", "load", "filesystem", "netdev"):
            assert run_check(load(name), host).state == 0
    assert host.connections == 1
    assert server.log.count("Accepted publickey") == before + 1


def test_a_hanging_program_costs_its_deadline_and_nobody_elses(server: Server, host: SshHost) -> None:
    clock = SystemClock()
    other = SshHost(server.with_(name="srv2"))
    other.read("/proc/loadavg")
    host.read("/proc/loadavg")
    errors: list[Exception] = []

    def hang() -> None:
        try:
            host.run(["sleep", "60"], timeout_seconds=1.5)
        except DeadlineExceeded as error:
            errors.append(error)

    began = clock.monotonic()
    thread = threading.Thread(target=hang)
    thread.start()
    rounds = 0
    while thread.is_alive():
        asked = clock.monotonic()
        other.read("/proc/loadavg")
        assert clock.monotonic() - asked < 1.0
        rounds += 1
    assert 1.4 < clock.monotonic() - began < 4
    assert rounds > 5
    assert "running sleep" in str(errors[0])
    assert host.read("/proc/loadavg")  # the same connection still serves
    assert host.connections == 1
    other.close()


def test_a_flooding_program_is_cut_off(host: SshHost) -> None:
    with pytest.raises(CheckFailed, match="more than 65536 bytes"):
        host.run(["yes"])
    assert host.read("/proc/loadavg")
