"""The programs beside which we measure, where they are installed: how each is started and how it takes a report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from tests.bench.client import Address, request
from tests.bench.cpu import cpu_seconds, peak_rss_mib, settle
from tests.bench.program import find, free_port, listens, running

PUSHGATEWAY, VICTORIA, PROMETHEUS, NODE_EXPORTER = (
    "prometheus-pushgateway",
    "victoria-metrics",
    "prometheus",
    "prometheus-node-exporter",
)


@dataclass(frozen=True)
class Started:
    process: Popen[bytes]

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)

    def settle(self) -> None:
        """Wait until it rests: some take a push first and work on it later."""
        settle(self.process.pid)

    def peak_rss_mib(self) -> float:
        return peak_rss_mib(self.process.pid)


@dataclass(frozen=True)
class Taker:
    """A peer that takes pushed reports as text."""

    name: str
    argv: tuple[str, ...]
    address: Address
    log: Path

    @contextmanager
    def running(self) -> Iterator[Started]:
        with running(self.argv, self.log, lambda: listens(self.address.port)) as process:
            yield Started(process)

    def push(self, host: str, text: bytes) -> bytes:
        """The HTTP request that delivers a host's report."""
        if self.name == "pushgateway":
            return request("PUT", f"/metrics/job/node/instance/{host}", text)
        return request("POST", f"/api/v1/import/prometheus?extra_label=instance={host}&extra_label=job=node", text)


def pushgateway(folder: Path) -> Taker | None:
    """Without its consistency check: with it one push costs most of a second at 300,000 series."""
    program = find(PUSHGATEWAY)
    if program is None:
        return None
    port = free_port()
    argv = (program, f"--web.listen-address=127.0.0.1:{port}", "--push.disable-consistency-check", "--log.level=error")
    return Taker("pushgateway", argv, Address(port), folder / "pushgateway.log")


def victoria_metrics(folder: Path) -> Taker | None:
    program = find(VICTORIA)
    if program is None:
        return None
    port = free_port()
    argv = (
        program,
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-storageDataPath={folder / 'victoria'}",
        "-loggerLevel=ERROR",
    )
    return Taker("victoria-metrics", argv, Address(port), folder / "victoria.log")


def takers(folder: Path) -> list[Taker]:
    return [peer for peer in (victoria_metrics(folder), pushgateway(folder)) if peer is not None]
