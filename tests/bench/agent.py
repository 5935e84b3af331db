"""What the agent costs its own machine: full profile each 15 s, signed, spooled, over TLS, against a real collector.

The peer is node_exporter with its default collectors, scraped each 15 s on the same machine at the same time.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.bench import peers
from tests.bench.agent_process import agent, collector_with_tls, enrolled
from tests.bench.centre import Centre
from tests.bench.client import Address, BadReply, expect, request, run
from tests.bench.cpu import cpu_seconds, rss_mib
from tests.bench.figures import Bench, Figure, median
from tests.bench.program import find, free_port, listens, running
from tests.bench.scrape import get

INTERVAL = 15.0
LEAST_SERIES = 400
SCRAPE = request("GET", "/metrics", b"", "Accept-Encoding: gzip")


def measure(bench: Bench) -> list[Figure]:
    """Memory and processor time over some intervals, counted after the second report."""
    intervals = bench.pick(16, 3)
    with ExitStack() as stack:
        centre = stack.enter_context(collector_with_tls(bench.folder))
        own = stack.enter_context(agent(enrolled(centre, bench.folder), bench.folder / "agent.log"))
        exporter = stack.enter_context(node_exporter(bench))
        wait_reports(centre, 2)
        pids = {"bongsu": own.pid, **({"node_exporter": exporter[0].pid} if exporter else {})}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        began = time.monotonic()
        for _ in range(intervals):
            time.sleep(INTERVAL)
            if exporter:
                expect([run(get(Address(exporter[1]), SCRAPE))], 200)
        seconds = time.monotonic() - began
        used = {name: (cpu_seconds(pid) - before[name]) / seconds * 3600 for name, pid in pids.items()}
        memory = {name: rss_mib(pid) for name, pid in pids.items()}
        series = series_count(centre)
    if series < LEAST_SERIES:
        bench.say(f"this machine yields only {series} series, the target speaks of {LEAST_SERIES}")
    note = f"{series} series, window {seconds:.0f} s"
    bench.say(f"{memory['bongsu']:.1f} MiB, {used['bongsu']:.2f} CPU s an hour; {note}")
    return [
        Figure("agent_rss_mib", memory.pop("bongsu"), memory, note),
        Figure("agent_cpu_s_per_hour", used.pop("bongsu"), used, note),
    ]


def start(bench: Bench) -> list[Figure]:
    """From exec to the first report in the collector, as the collector's clock has it; the spool is there already."""
    took = []
    with collector_with_tls(bench.folder) as centre:
        argv = enrolled(centre, bench.folder)
        for _ in range(bench.pick(9, 3)):
            began_ms = time.time() * 1000
            with agent(argv, bench.folder / "agent.log"):
                took.append(newer_report(centre, began_ms) - began_ms)
    bench.say(f"exec to first report {median(took):.0f} ms, {min(took):.0f} to {max(took):.0f}")
    exporter = _exporter_start(bench)
    return [Figure("agent_start_ms", median(took), exporter, "exec to the first report received")]


@contextmanager
def node_exporter(bench: Bench) -> Iterator[tuple[subprocess.Popen[bytes], int] | None]:
    """(process, port), or None where it is not installed."""
    program = find(peers.NODE_EXPORTER)
    if program is None:
        yield None
        return
    port = free_port()
    argv = (program, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error")
    with running(argv, bench.folder / "exporter.log", lambda: listens(port)) as process:
        yield process, port


def _exporter_start(bench: Bench) -> dict[str, float]:
    if find(peers.NODE_EXPORTER) is None:
        return {}
    took = []
    for _ in range(5):
        began = time.perf_counter()
        with node_exporter(bench) as started:
            if started is not None:
                expect([run(get(Address(started[1]), SCRAPE))], 200)
            took.append((time.perf_counter() - began) * 1000)
    return {"node_exporter": median(took)}


def wait_reports(centre: Centre, count: int) -> None:
    """Until the collector took so many records. Raises BadReply after a minute."""
    end = time.monotonic() + 60
    while centre.accepted() < count:
        if time.monotonic() > end:
            raise BadReply("the agent's reports did not come")
        time.sleep(0.2)


def newer_report(centre: Centre, than_ms: float) -> float:
    """When the collector received the agent's first report after an instant (ms). Raises BadReply after a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = re.search(rb"bongsu_agent_last_report_timestamp_seconds\{[^}]*\} ([0-9.e+]+)", _site(centre))
        if found and float(found[1]) * 1000 > than_ms:
            return float(found[1]) * 1000
        time.sleep(0.05)
    raise BadReply("the agent's first report did not come")


def series_count(centre: Centre) -> int:
    """Series of the agent's host that stand in the scrape."""
    return len(re.findall(rb'^(?:node|agent)_[^\n]*instance="', _site(centre), re.MULTILINE))


def _site(centre: Centre) -> bytes:
    return centre.get("/metrics/sites/local")
