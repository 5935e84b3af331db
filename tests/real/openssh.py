"""A real OpenSSH server on a free loopback port, run by whoever runs the tests (root or not)."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from real import require

from agent.remote.known_hosts import listed_name
from agent.remote.targets import Target

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {host_key}
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
LogLevel VERBOSE
"""


def make_key(path: Path, *extra: str) -> Path:
    arguments = [require("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path), *extra]
    subprocess.run(arguments, check=True)
    return path


def fingerprint(path: Path) -> str:
    """As ssh-keygen prints it for the public key."""
    said = subprocess.run([require("ssh-keygen"), "-lf", f"{path}.pub"], check=True, capture_output=True, text=True)
    return said.stdout.split()[1]


@dataclass(frozen=True)
class Server:
    folder: Path
    port: int
    target: Target

    @property
    def host_key(self) -> Path:
        return self.folder / "host_key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def pin(self, key: Path) -> None:
        kind, blob = Path(f"{key}.pub").read_text().split()[:2]
        self.known_hosts.write_text(f"{listed_name('127.0.0.1', self.port)} {kind} {blob}\n")

    def with_(self, **changes: Any) -> Target:
        return replace(self.target, **changes)


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    sshd = require("sshd")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its privilege separation folder, made at boot elsewhere
    folder.mkdir(exist_ok=True)
    host_key, user_key = make_key(folder / "host_key"), make_key(folder / "user_key")
    (folder / "authorized_keys").write_text(Path(f"{user_key}.pub").read_text())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config").write_text(CONFIG.format(port=port, host_key=host_key, folder=folder))
    target = Target(
        name=folder.name,
        address="127.0.0.1",
        port=port,
        user=getpass.getuser(),
        known_hosts=str(folder / "known_hosts"),
        key_file=str(user_key),
    )
    server = Server(folder, port, target)
    server.pin(host_key)
    process = subprocess.Popen(
        [sshd, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "Server listening" in line:
                break
        else:
            raise AssertionError(f"sshd ended with {process.wait()}")
        with (folder / "log").open("wb") as log, subprocess.Popen(["cat"], stdin=process.stderr, stdout=log) as copier:
            try:
                yield server
            finally:
                copier.kill()  # a session that a client left open would keep it waiting
    finally:
        process.terminate()
        process.wait(10)
        process.stderr.close()
