"""LocalHost on a tree of its own, and real programs."""

from __future__ import annotations

import os
import select
import threading
import time
from pathlib import Path

import pytest
from recorded import RecordedKernel, recorded_host, unpack

from agent.checks.base import CheckFailed, DeadlineExceeded, FilesystemSpace
from agent.checks.kept_files import KeptFiles
from agent.checks.kernel import SystemKernel
from agent.checks.local import LocalHost
from agent.checks.programs import OUTPUT_LIMIT

TREE = """== /sys/class/net/eth0/mtu
1500
== /sys/class/net/eth0/statistics/rx_bytes
7
== /sys/class/net/lo/mtu
65536
== /sys/class/net/eth1 -> /nowhere
"""


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    unpack(TREE, tmp_path)
    return recorded_host(tmp_path)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("/sys/class/net/*/mtu",), {"/sys/class/net/eth0/mtu": "1500\n", "/sys/class/net/lo/mtu": "65536\n"}),
        (("/sys/class/net/e[a-z]h?/mtu",), {"/sys/class/net/eth0/mtu": "1500\n"}),
        (("/sys/class/net/eth0/*",), {"/sys/class/net/eth0/mtu": "1500\n"}),
        (("/nothing", "/sys/class/net/lo/mtu"), {"/sys/class/net/lo/mtu": "65536\n"}),
        (("/sys/*/net/l*o/m*u",), {"/sys/class/net/lo/mtu": "65536\n"}),
        (("/sys/class/net",), {}),
        (("/nothing/*/x",), {}),
    ],
)
def test_read_tree(host: LocalHost, patterns: tuple[str, ...], expected: dict[str, str]) -> None:
    found = host.read_tree(*patterns)
    assert found == expected
    assert list(found) == sorted(found)


def test_list_tells_files_folders_and_dead_links(host: LocalHost) -> None:
    assert host.list("/sys/class/net/*") == ["/sys/class/net/eth0", "/sys/class/net/eth1", "/sys/class/net/lo"]
    assert host.list("/sys/class/net") == ["/sys/class/net"]
    assert host.list("/nothing") == []


def test_link(host: LocalHost) -> None:
    assert host.link("/sys/class/net/eth1") == "/nowhere"
    with pytest.raises(OSError, match="Invalid"):
        host.link("/sys/class/net/lo")


def test_read_says_what_open_says(host: LocalHost) -> None:
    assert host.read("/sys/class/net/lo/mtu") == "65536\n"
    with pytest.raises(FileNotFoundError):
        host.read("/nothing")


def test_read_is_bounded_and_replaces_what_is_no_text(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"\xff" * (3 << 20))
    assert host.read("/big") == "�" * (1 << 20)


def test_kept_files_see_new_content_and_give_back_descriptors() -> None:
    files = KeptFiles()
    first = files.read("/proc/self/stat")
    assert files.read("/proc/self/stat").split()[0] == first.split()[0] == str(os.getpid())
    assert float(files.read("/proc/uptime").split()[0]) <= float(files.read("/proc/uptime").split()[0])
    held = len(os.listdir("/proc/self/fd"))
    files.close()
    assert len(os.listdir("/proc/self/fd")) == held - 2


def test_run_answers_and_bounds_output(host: LocalHost) -> None:
    ran = host.run(["sh", "-c", "echo out; echo oops >&2; exit 3"])
    assert ran == (3, "out\n", "oops\n")
    assert len(host.run(["sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x"]).stdout) == OUTPUT_LIMIT


def test_run_has_a_clean_environment(host: LocalHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    names = {line.partition("=")[0] for line in host.run(["env"]).stdout.splitlines()}
    assert names <= {"PATH", "LC_ALL", "LANG", "PWD", "SHLVL", "_"}


def test_run_without_the_program_says_so(host: LocalHost) -> None:
    with pytest.raises(CheckFailed, match="no-such-program could not be started"):
        host.run(["no-such-program"])


def test_run_kills_the_whole_group_at_the_deadline(tmp_path: Path) -> None:
    host = LocalHost(str(tmp_path))
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"did not end within 0\.3 s"):
        host.run(["sh", "-c", f"sleep 60 & echo $! > {tmp_path}/child; wait"], timeout_seconds=0.3)
    assert time.monotonic() - started < 5
    assert _ends(int((tmp_path / "child").read_text()), within_seconds=5)


def _ends(pid: int, within_seconds: float) -> bool:
    """Whether a process is gone or goes in time; the kernel tells when, so nobody has to look again and again."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], within_seconds)[0])
    finally:
        os.close(descriptor)


def test_run_obeys_the_deadline_of_the_check(tmp_path: Path) -> None:
    host = LocalHost(str(tmp_path))
    with pytest.raises(DeadlineExceeded), host.deadline(0.2):
        host.run(["sleep", "60"], timeout_seconds=30)


class _StuckKernel(RecordedKernel):
    """A kernel whose network mount never answers until it is let go."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.asked = 0

    def statvfs(self, path: str) -> FilesystemSpace:
        if path.endswith("/srv/my share"):
            self.asked += 1
            self.answer.wait(30)
        return super().statvfs(path)


def test_a_dead_network_mount_stops_nobody(tmp_path: Path) -> None:
    unpack("== /proc/self/mounts\nnas:/x /srv/my\\040share nfs4 rw 0 0\n/dev/sda1 / ext4 rw 0 0\n", tmp_path)
    kernel = _StuckKernel()
    host = LocalHost(str(tmp_path), kernel=kernel)
    with host.deadline(0.2):
        spaces = host.filesystems(("/", "/srv/my share"))
    assert spaces["/"] is not None
    assert spaces["/srv/my share"] is None
    assert host.filesystems(("/srv/my share",)) == {"/srv/my share": None}
    assert kernel.asked == 1
    kernel.answer.set()
    while any(thread.name.startswith("statvfs") for thread in threading.enumerate()):
        for thread in threading.enumerate():
            if thread.name.startswith("statvfs"):
                thread.join(5)
    assert host.filesystems(("/srv/my share",))["/srv/my share"] is not None


def test_this_machine_answers() -> None:
    kernel = SystemKernel()
    assert kernel.statvfs("/").size_bytes > 0
    assert kernel.page_bytes() >= 4096
    assert 9_000 <= kernel.adjtimex().tick <= 11_000
    assert isinstance(kernel.time_zone(0.0)[1], int)
