"""The collector under measurement: ``bongsu serve`` as its own process on a data directory."""

from __future__ import annotations

import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.fleet.keys import ca_file
from tests.bench.client import Address, BadReply, Connection, expect, request, run
from tests.bench.cpu import cpu_seconds, peak_rss_mib
from tests.bench.program import running

BONGSU = Path(sys.executable).with_name("bongsu")
SERVE = (str(BONGSU), "serve", "--host", "127.0.0.1")
_READY = re.compile(r"Bongsu is at https?://[^:/]+:(\d+)")


@dataclass(frozen=True)
class Centre:
    process: subprocess.Popen[bytes]
    address: Address

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)

    def peak_rss_mib(self) -> float:
        return peak_rss_mib(self.process.pid)

    def get(self, path: str, *headers: str) -> bytes:
        """The body of a page. Raises BadReply."""

        async def ask() -> bytes:
            connection = Connection(self.address)
            reply = await connection.exchange(request("GET", path, b"", *headers))
            await connection.close()
            expect([reply], 200)
            return reply.body

        return run(ask())

    def accepted(self) -> int:
        """Records that became somebody's newest: what proves that live state was fed."""
        found = re.findall(rb'bongsu_reports_total\{[^}]*result="accepted"\} (\d+)', self.get("/metrics"))
        return sum(int(number) for number in found)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextmanager
def serving(data: Path, port: int = 0) -> Iterator[Centre]:
    """A collector on ``data`` until the block ends. Raises NotStarted."""
    log = data.with_suffix(".log")
    log.write_bytes(b"")
    with running((*SERVE, "--port", str(port), "--data", str(data)), log, lambda: port_of(log) > 0) as process:
        yield Centre(process, Address(port_of(log), _tls(data)))


def _tls(data: Path) -> ssl.SSLContext | None:
    """Trust in the data directory's own authority, where it has one."""
    return ssl.create_default_context(cafile=ca_file(data)) if ca_file(data).exists() else None


def port_of(log: Path) -> int:
    found = _READY.search(log.read_text(errors="replace"))
    return int(found[1]) if found else 0


def expect_accepted(centre: Centre, count: int) -> None:
    """Raises BadReply where not every report of a measurement became live state."""
    seen = centre.accepted()
    if seen != count:
        raise BadReply(f"{seen} records became live state, {count} were sent")
