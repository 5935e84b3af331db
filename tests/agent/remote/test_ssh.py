"""SshHost against a little SSH server that answers well, hangs, floods, lies and dies."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import paramiko
import pytest
from fake_ssh import FakeSsh, answer, close_midway, fake_ssh, flood, flood_after_hello, say_nothing
from real import require

from agent.checks.base import CheckFailed, DeadlineExceeded, Host, Unreachable
from agent.checks.local import LocalHost
from agent.link.clock import SystemClock
from agent.remote.known_hosts import HostKeyRefused
from agent.remote.ssh import SshHost


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeSsh]:
    with fake_ssh(tmp_path) as running:
        yield running


@pytest.fixture
def host(server: FakeSsh) -> Iterator[SshHost]:
    reached = SshHost(server.target())
    yield reached
    reached.close()


def took(action: Callable[[], object]) -> tuple[float, Exception]:
    """Seconds until ``action`` failed, and with what."""
    clock = SystemClock()
    began = clock.monotonic()
    try:
        action()
    except (CheckFailed, OSError) as error:
        return clock.monotonic() - began, error
    raise AssertionError("it did not fail")


def only_with(shell: str, folder: Path) -> Callable[[Any, str], None]:
    """A machine whose ``sh`` is this one; with busybox there is nothing else than its applets either."""
    program = require(shell)
    folder.mkdir()
    if shell == "busybox":
        subprocess.run([program, "--install", "-s", str(folder)], check=True)
        return partial(answer, shell=[str(folder / "sh")], environment={"PATH": str(folder)})
    (folder / "sh").symlink_to(program)
    return partial(answer, environment=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"})


@pytest.mark.parametrize(
    "shell", ["dash", pytest.param("bash", marks=pytest.mark.real), pytest.param("busybox", marks=pytest.mark.real)]
)
def test_both_hosts_give_the_same_answers(shell: str, host: SshHost, server: FakeSsh, tmp_path: Path) -> None:
    server.behave = only_with(shell, tmp_path / "programs")
    awkward = {"plain": b"42\n", "no newline": b"42", "empty": b"", "nul": b"a\0b\0\n\n", "latin": b"\xe9t\xe9\n"}
    awkward["it's a 'quote' $(id) `id` \\n *"] = b"\n\nabc 0 /etc\0\n"
    for name, content in awkward.items():
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "files" / name).write_bytes(content)
    (tmp_path / "files" / "link").symlink_to("no newline")
    (tmp_path / "files" / "dangling").symlink_to("/nowhere at all")
    (tmp_path / "files" / "folder").mkdir()
    folder = str(tmp_path / "files")
    local = LocalHost()
    questions: list[Callable[[Host], Any]] = [
        lambda which: which.read_tree(f"{folder}/*"),
        lambda which: which.read_tree("/proc/sys/kernel/*", "/proc/sys/fs/file-max", "/sys/class/net/*/*"),
        lambda which: which.read_tree("/nope/*"),
        lambda which: which.list(f"{folder}/[a-k]*"),
        lambda which: which.list("/nope/*"),
        lambda which: which.link(f"{folder}/dangling"),
        lambda which: {name: which.read(f"{folder}/{name}") for name in awkward},
        lambda which: which.run(["sh", "-c", "echo out; echo err >&2; exit 3"]),
        lambda which: which.run(["printf", "%s|", "a b", "$HOME", "", "'\n", "`id`", "*"]),
    ]
    for question in questions:
        here, there = question(local), question(host)
        if isinstance(here, dict):  # an entropy pool and the like changes from one reading to the next
            assert here.keys() == there.keys()
            changed = {path for path in here if here[path] != there[path]}
            assert all(path.startswith(("/proc/sys/kernel", "/sys/")) for path in changed)
            assert len(changed) < 8
        else:
            assert here == there
    spaces = host.filesystems(["/", "/nope", folder])
    assert spaces["/nope"] is None
    assert spaces["/"] is not None
    assert spaces["/"].size_bytes == local.filesystems(["/"])["/"].size_bytes  # type: ignore[union-attr]
    assert abs(host.now() - local.now()) < 5


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda host: host.read("/nope"), FileNotFoundError),
        (lambda host: host.read("/proc"), IsADirectoryError),
        (lambda host: host.link("/proc/stat"), OSError),
        (lambda host: host.link("/nope"), FileNotFoundError),
        (lambda host: host.run(["no-such-program"]), CheckFailed),
    ],
)
def test_both_hosts_fail_alike(host: SshHost, ask: Callable[[Host], object], expected: type[Exception]) -> None:
    for which in (LocalHost(), host):
        with pytest.raises(expected):
            ask(which)


def test_own_command_lines_do_not_confuse_a_tree(host: SshHost) -> None:
    found = host.read_tree("/proc/[0-9]*/cmdline", "/proc/[0-9]*/environ")
    assert any("\0" in text for text in found.values())
    assert all(path.startswith("/proc/") for path in found)


def test_one_connection_and_one_shell_carry_all_questions(host: SshHost, server: FakeSsh) -> None:
    for _ in range(5):
        host.read("/proc/loadavg")
        host.read_tree("/proc/loadavg")
        host.list("/proc/*")
    assert (server.accepted, host.connections, host.questions, server.commands) == (1, 1, 15, ["exec sh"])
    host.run(["true"])
    assert (server.accepted, len(server.commands)) == (1, 1)


def test_a_connection_that_died_while_idle_is_replaced_within_the_question(host: SshHost, server: FakeSsh) -> None:
    host.read("/proc/loadavg")
    server.drop()
    assert host.read("/proc/loadavg")
    assert server.accepted == 2


def test_noise_of_a_login_script_is_skipped(host: SshHost, server: FakeSsh) -> None:
    good = server.behave

    def noisy(channel: Any, command: str) -> None:
        channel.sendall(b"Welcome to srv1!\nbongsu of the day: none\n")
        good(channel, command)

    server.behave = noisy
    assert host.read("/proc/sys/kernel/ostype") == "Linux\n"


def test_changed_host_key_is_refused_in_words(host: SshHost, server: FakeSsh) -> None:
    other = paramiko.ECDSAKey.generate()
    server.pin(other)
    _, error = took(lambda: host.read("/proc/loadavg"))
    assert isinstance(error, HostKeyRefused)
    assert error.seen == server.host_key.fingerprint
    assert error.pinned == (other.fingerprint,)
    for part in (error.seen, *error.pinned, str(server.known_hosts), f"[127.0.0.1]:{server.port}", "changed"):
        assert part in str(error)
    # What it tells an admin to run is what makes it work.
    subprocess.run(["sh", "-c", error.command], check=True, capture_output=True)
    again = SshHost(server.target())
    assert again.read("/proc/loadavg")
    again.close()
    # Meanwhile the refused host is left alone for a while, and says why.
    with pytest.raises(Unreachable, match="not asked") as again_refused:
        host.read("/proc/loadavg")
    assert "changed" in again_refused.value.why


def test_unknown_host_key_is_refused_before_any_login(host: SshHost, server: FakeSsh) -> None:
    server.known_hosts.write_text("# nothing yet\n")
    _, error = took(lambda: host.read("/proc/loadavg"))
    assert isinstance(error, HostKeyRefused)
    assert (error.seen, error.pinned) == (server.host_key.fingerprint, ())
    assert "not known" in str(error)
    assert server.commands == []


def test_login_errors_say_what_to_do(server: FakeSsh, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    paramiko.ECDSAKey.generate().write_private_key_file(str(wrong))
    locked = tmp_path / "locked"
    paramiko.ECDSAKey.generate().write_private_key_file(str(locked), password="s3cret")
    text = tmp_path / "text"
    text.write_text("not a key")
    text.chmod(0o600)
    exposed = tmp_path / "exposed"
    exposed.write_bytes(server.key_file.read_bytes())
    exposed.chmod(0o644)
    for path, words in (
        (wrong, "login as bongsu .* was refused .* authorized_keys"),
        (locked, "passphrase"),
        (text, "no private key"),
        (exposed, "mode 0644, expected 0600"),
        (tmp_path / "missing", "No such file"),
    ):
        with pytest.raises(CheckFailed, match=words) as caught:
            SshHost(server.target(key_file=str(path))).read("/proc/loadavg")
        assert "srv1 (bongsu@[127.0.0.1]:" in str(caught.value)
    with pytest.raises(CheckFailed, match=r"known_hosts file .* No such file"):
        SshHost(server.target(known_hosts=str(tmp_path / "none"))).read("/proc/loadavg")


def test_no_server_is_an_error_at_once(server: FakeSsh) -> None:
    server.close()
    seconds, error = took(lambda: SshHost(server.target()).read("/proc/loadavg"))
    assert "Connection refused" in str(error)
    assert seconds < 2


def test_names_are_looked_up(server: FakeSsh) -> None:
    host = SshHost(server.target(address="localhost"))
    _, error = took(lambda: host.read("/proc/loadavg"))
    assert isinstance(error, HostKeyRefused)  # reached, and pinned under another spelling
    server.known_hosts.write_text(server.known_hosts.read_text().replace("127.0.0.1", "localhost"))
    host = SshHost(server.target(address="localhost"))
    assert host.read("/proc/loadavg")
    host.close()


def test_a_name_without_address_is_told_within_the_deadline(server: FakeSsh) -> None:
    host = SshHost(server.target(address="no-such-host.invalid", deadline_seconds=2.0))
    seconds, error = took(lambda: host.read("/proc/loadavg"))
    assert "no-such-host.invalid" in str(error)
    assert seconds < 3


def never(connection: socket.socket) -> None:
    connection.recv(1)


def greeting_only(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-Hang_1.0\r\n")


def endless_greeting(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"y" * 4096)


@pytest.mark.parametrize("raw", [never, greeting_only, endless_greeting])
def test_a_server_that_hangs_before_login_costs_its_deadline_once(
    raw: Callable[[socket.socket], None], tmp_path: Path
) -> None:
    with fake_ssh(tmp_path, raw) as server:
        host = SshHost(server.target(deadline_seconds=0.5))
        seconds, error = took(lambda: host.read("/proc/loadavg"))
        assert isinstance(error, DeadlineExceeded)
        assert 0.4 < seconds < 2
        seconds, error = took(lambda: [host.read("/proc/loadavg") for _ in range(100)])
        assert isinstance(error, Unreachable)
        assert seconds < 0.4


def test_garbage_instead_of_a_key_exchange_is_an_error(tmp_path: Path) -> None:
    def garbage(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-Bad_1.0\r\n" + bytes(range(256)) * 64)

    with fake_ssh(tmp_path, garbage) as server:
        _, error = took(lambda: SshHost(server.target(deadline_seconds=3.0)).read("/proc/loadavg"))
        assert "expected an SSH 2 server" in str(error)


def test_a_server_that_never_answers_is_given_up_after_two_questions(host: SshHost, server: FakeSsh) -> None:
    server.behave = say_nothing
    for _ in range(2):
        with host.deadline(0.3):
            seconds, error = took(lambda: host.read("/proc/loadavg"))
        assert isinstance(error, DeadlineExceeded)
        assert seconds < 1
    seconds, error = took(lambda: host.read("/proc/loadavg"))
    assert isinstance(error, Unreachable)
    assert "several questions in a row had no answer" in error.why
    assert seconds < 0.3


def test_a_server_that_never_grants_the_command_costs_the_deadline(host: SshHost, server: FakeSsh) -> None:
    granted = threading.Event()
    server.before_exec = granted.wait
    try:
        with host.deadline(0.4):
            seconds, error = took(lambda: host.read("/proc/loadavg"))
        assert isinstance(error, DeadlineExceeded)
        assert 0.3 < seconds < 1.5
    finally:
        granted.set()


@pytest.mark.parametrize("behave", [flood, flood_after_hello])
def test_a_flood_is_cut_off_and_the_next_question_is_answered(
    host: SshHost, server: FakeSsh, behave: Callable[[Any, str], None]
) -> None:
    good, server.behave = server.behave, behave
    for ask in (lambda: host.read("/proc/loadavg"), lambda: host.run(["true"]), lambda: host.read_tree("/proc/*")):
        seconds, error = took(ask)
        assert re.search(r"more than \d+ bytes .* was cut off", str(error))
        assert seconds < 4
    server.behave = good
    assert host.read("/proc/loadavg")


def test_a_real_flood_through_a_good_server_is_bounded(host: SshHost) -> None:
    with pytest.raises(CheckFailed, match="more than 65536 bytes"):
        host.run(["yes"])
    assert len(host.read("/dev/zero")) == 1 << 20  # cut at the limit, as a local one
    with pytest.raises(CheckFailed, match="more than 65536 bytes"):
        host.run(["sh", "-c", "yes >&2"])


def test_a_server_that_closes_midway_is_an_error_and_recovers(host: SshHost, server: FakeSsh) -> None:
    good, server.behave = server.behave, close_midway
    for seconds, error in (
        took(lambda: host.read("/proc/loadavg")),
        took(lambda: SshHost(server.target()).run(["true"])),
    ):
        assert isinstance(error, CheckFailed)
        assert "ended" in str(error)
        assert seconds < 2
    server.behave = good
    assert host.read("/proc/loadavg")
    host.close()


def test_no_channel_is_told(host: SshHost, server: FakeSsh) -> None:
    server.admit_channel = paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
    with pytest.raises(CheckFailed, match="MaxSessions"):
        host.read("/proc/loadavg")


def test_nested_deadlines_keep_the_nearer_end(host: SshHost) -> None:
    host.read("/proc/loadavg")
    with host.deadline(0.3), host.deadline(60):
        seconds, error = took(lambda: host.run(["sleep", "30"]))
    assert isinstance(error, DeadlineExceeded)
    assert seconds < 1
    assert host.read("/proc/loadavg")


def test_both_hosts_obey_the_deadline_of_a_check(host: SshHost) -> None:
    for which in (LocalHost(), host):
        with which.deadline(0.4):
            seconds, error = took(lambda which=which: which.run(["sleep", "30"]))  # type: ignore[misc]
        assert isinstance(error, DeadlineExceeded)
        assert seconds < 1.5


def test_a_connection_long_idle_is_not_trusted(server: FakeSsh) -> None:
    class Later(SystemClock):
        later = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.later

    clock = Later()
    host = SshHost(server.target(), clock)
    host.read("/proc/loadavg")
    clock.later = 200.0
    host.read("/proc/loadavg")
    assert host.connections == 1
    clock.later = 500.0
    host.read("/proc/loadavg")
    assert host.connections == 2
    host.close()


def test_weak_algorithms_are_not_offered(host: SshHost, server: FakeSsh) -> None:
    offered: list[str] = []

    def listen(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-Listen_1.0\r\n")
        data = b""
        while b"hmac-sha2" not in data or len(data) < 1000:
            data += connection.recv(4096)
        offered.append(data.decode("latin-1"))
        connection.close()

    with fake_ssh(Path(server.known_hosts).parent, listen) as listener:
        took(lambda: SshHost(listener.target(deadline_seconds=2.0)).read("/proc/loadavg"))
    assert "hmac-sha2-256" in offered[0]
    for weak in ("hmac-md5", "hmac-sha1", "cbc", "3des", "ssh-dss"):
        assert weak not in offered[0]


@pytest.mark.parametrize("module", ["agent.remote.targets", "agent.remote.ssh", "agent.remote.reach"])
def test_importing_loads_no_ssh_library(module: str) -> None:
    code = (
        f"import sys, {module}; print([name for name in sys.modules if name.startswith(('paramiko', 'cryptography'))])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
