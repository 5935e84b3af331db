"""A real PostgreSQL of the tests' own: made in a temporary directory, gone afterwards, reached over loopback only."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from real import require

ROLE = "bongsu"


@dataclass(frozen=True)
class Server:
    """A database server that a test may stop and start again. ``url``: of its empty database ``postgres``."""

    url: str
    _control: tuple[str, ...]
    _options: tuple[str, ...]

    def start(self) -> None:
        _run([*self._control, *self._options, "start"])

    def stop(self, mode: str = "fast") -> None:
        """``fast`` ends whoever is connected; ``immediate`` is a crash."""
        _run([*self._control, "-m", mode, "stop"])


@contextmanager
def postgresql_server(folder: Path) -> Iterator[Server]:
    """A running server; what the test left of it is ended. Skips where PostgreSQL is not installed."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    as_owner = _owner(folder)
    data = folder / "data"
    _run([*as_owner, initdb, "-D", str(data), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
    port = _free_port()
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off -c full_page_writes=off"
    control = (*as_owner, pg_ctl, "-D", str(data), "-w", "-t", "60")
    url = f"postgresql+psycopg://{ROLE}@127.0.0.1:{port}/postgres"
    server = Server(url, control, ("-l", str(data / "server.log"), "-o", options))
    server.start()
    try:
        yield server
    finally:
        if (data / "postmaster.pid").exists():
            server.stop("immediate")


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A running server; gives the URL of its empty database ``postgres``. Skips where PostgreSQL is not installed."""
    with postgresql_server(folder) as server:
        yield server.url


def _program(name: str) -> str:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return str(versions[-1]) if versions else require(name)


def _owner(folder: Path) -> list[str]:
    """The server refuses to run as root: then it is run as somebody who may not do anything else."""
    if os.geteuid() != 0:
        return []
    name = "nobody"
    for candidate in ("postgres", "nobody"):
        try:
            pwd.getpwnam(candidate)
        except KeyError:
            continue
        name = candidate
        break
    shutil.chown(folder, name)
    for parent in folder.parents:  # tmp directories of pytest are closed to others
        if parent.stat().st_uid == 0 and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o011)
        if parent == Path("/tmp"):
            break
    return [require("setpriv"), f"--reuid={name}", "--regid", str(pwd.getpwnam(name).pw_gid), "--clear-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(argv: list[str]) -> None:
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd="/", check=False
    )
    assert done.returncode == 0, f"{argv}: {done.stdout.decode(errors='replace')}"
