"""What one HTTP or TCP probe costs the agent, everything counted: an agent with many probes less the same one without.

The peer is blackbox_exporter, asked for the same targets as often by HTTP, as Prometheus asks it.
"""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

from tests.bench.agent import wait_reports
from tests.bench.agent_process import CONFIG, agent, collector_with_tls, enrolled
from tests.bench.client import Address, Connection, expect, request, run
from tests.bench.cpu import cpu_seconds
from tests.bench.figures import Bench, Figure
from tests.bench.program import find, free_port, listens, running

PROBES, INTERVAL = 60, 5.0
EXPORTER = "prometheus-blackbox-exporter"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def target() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def probes(port: int) -> str:
    text = ['[probe_guard]\nallow = ["127.0.0.1/32"]']
    for number in range(PROBES):
        module, where = ("http", f"http://127.0.0.1:{port}/{number}") if number % 2 else ("tcp", f"127.0.0.1:{port}")
        text.append(
            f'[[probes]]\nname = "p{number}"\nmodule = "{module}"\ntarget = "{where}"\ninterval_seconds = {INTERVAL:g}'
        )
    return "\n".join(text) + "\n"


def measure(bench: Bench) -> list[Figure]:
    seconds = bench.pick(90, 30)
    with target() as port:
        bare = _agent_seconds(bench, "bare", CONFIG, seconds)
        probing = _agent_seconds(bench, "probing", CONFIG + probes(port), seconds)
        count = PROBES * seconds / INTERVAL
        peers = _exporter(bench, port)
    each = (probing - bare) * 1000 / count
    note = f"{count:.0f} probes, {probing:.2f} CPU s with and {bare:.2f} without"
    bench.say(f"{each:.2f} ms a probe; {note}")
    return [Figure("agent_probe_cpu_ms", each, peers, note)]


def _agent_seconds(bench: Bench, name: str, config: str, seconds: float) -> float:
    folder = bench.folder / name
    folder.mkdir()
    with ExitStack() as stack:
        centre = stack.enter_context(collector_with_tls(folder))
        own = stack.enter_context(agent(enrolled(centre, folder, config), folder / "agent.log"))
        wait_reports(centre, 2)
        before = cpu_seconds(own.pid)
        time.sleep(seconds)
        return cpu_seconds(own.pid) - before


def _exporter(bench: Bench, port: int) -> dict[str, float]:
    program = find(EXPORTER)
    if program is None:
        return {}
    file = bench.folder / "blackbox.yml"
    file.write_text("modules:\n  http: {prober: http}\n  tcp: {prober: tcp}\n", "utf-8")
    own, count = free_port(), bench.pick(1000, 300)
    argv = (program, "--config.file", str(file), f"--web.listen-address=127.0.0.1:{own}", "--log.level=error")
    with running(argv, bench.folder / "blackbox.log", lambda: listens(own)) as process:
        before = cpu_seconds(process.pid)
        run(_ask(Address(own), port, count))
        return {"blackbox_exporter": (cpu_seconds(process.pid) - before) * 1000 / count}


async def _ask(exporter: Address, port: int, count: int) -> None:
    connection = Connection(exporter)
    for number in range(count):
        module, where = ("http", f"http://127.0.0.1:{port}/") if number % 2 else ("tcp", f"127.0.0.1:{port}")
        asked = f"/probe?module={module}&target={quote(where, safe='')}"
        expect([await connection.exchange(request("GET", asked, b"", "Accept-Encoding: gzip"))], 200)
    await connection.close()
