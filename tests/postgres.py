"""A real PostgreSQL of the tests' own: made in a temporary directory, gone afterwards, reached over loopback only."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from real import require

ROLE = "bongsu"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A running server; gives the URL of its empty database ``postgres``. Skips where PostgreSQL is not installed."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    as_owner = _owner(folder)
    data = folder / "data"
    _run([*as_owner, initdb, "-D", str(data), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
    port = _free_port()
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off -c full_page_writes=off"
    log = str(data / "server.log")
    _run([*as_owner, pg_ctl, "-D", str(data), "-w", "-t", "60", "-l", log, "-o", options, "start"])
    try:
        yield f"postgresql+psycopg://{ROLE}@127.0.0.1:{port}/postgres"
    finally:
        _run([*as_owner, pg_ctl, "-D", str(data), "-w", "-m", "immediate", "stop"])


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
