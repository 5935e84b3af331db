"""Real stores that take remote write: Prometheus and VictoriaMetrics, each on a free port with a folder of its own."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from real import require

LabelSet = tuple[tuple[str, str], ...]
Samples = dict[LabelSet, dict[int, float]]
"""By series, values by milliseconds."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@dataclass
class Program:
    """A store that can be ended and started again on what it kept."""

    argv: list[str]
    url: str
    ready: str
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.argv, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while not self._is_ready():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.1)

    def stop(self, hard: bool = False) -> None:
        assert self.process is not None
        (self.process.kill if hard else self.process.terminate)()
        self.process.wait(30)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + self.ready, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def prometheus(folder: Path, window: str = "", scrape: str = "") -> Iterator[Program]:
    """Takes remote write; ``window`` is its out-of-order window, ``scrape`` are further lines of its configuration."""
    folder.mkdir(parents=True)
    config = folder / "prometheus.yml"
    storage = f"storage:\n  tsdb:\n    out_of_order_time_window: {window}\n" if window else ""
    config.write_text(f"global:\n  scrape_interval: 1s\n{storage}{scrape}")
    port = free_port()
    argv = [
        require("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--log.level=warn",
    ]
    with _running(Program(argv, f"http://127.0.0.1:{port}", "/-/ready", folder / "log")) as program:
        yield program


@contextmanager
def victoria(folder: Path) -> Iterator[Program]:
    folder.mkdir(parents=True)
    port = free_port()
    argv = [
        require("victoria-metrics"),
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=1",
        "-search.latencyOffset=0s",
    ]
    with _running(Program(argv, f"http://127.0.0.1:{port}", "/health", folder / "log")) as program:
        yield program


@contextmanager
def _running(program: Program) -> Iterator[Program]:
    program.start()
    try:
        yield program
    finally:
        program.stop()


def ask(url: str, query: str, at_ms: int | None = None) -> list[dict[str, object]]:
    """``result`` of an instant query."""
    form = {"query": query} | ({"time": str(at_ms / 1000)} if at_ms is not None else {})
    with urllib.request.urlopen(f"{url}/api/v1/query?{urllib.parse.urlencode(form)}", timeout=30) as answer:
        found: list[dict[str, object]] = json.load(answer)["data"]["result"]
        return found


def ask_range(url: str, query: str, window: dict[str, str]) -> dict[LabelSet, object]:
    """Values of a range query, by series."""
    form = urllib.parse.urlencode({"query": query, **window})
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{form}", timeout=30) as answer:
        result = json.load(answer)["data"]["result"]
    return {tuple(sorted(one["metric"].items())): one["values"] for one in result}


def raw(url: str, selector: str, at_ms: int, span: str = "2h") -> Samples:
    """The samples as they are kept, by the query API; stale markers are not shown."""
    found: Samples = {}
    for series in ask(url, f"{selector}[{span}]", at_ms):
        labels = tuple(sorted(series["metric"].items()))  # type: ignore[attr-defined]
        found[labels] = {round(at * 1000): float(value) for at, value in series["values"]}  # type: ignore[attr-defined]
    return found


def exported(url: str, selector: str) -> Samples:
    """The samples as they are kept, by VictoriaMetrics' export; what is no number is left out."""
    form = urllib.parse.urlencode({"match[]": selector})
    found: Samples = {}
    with urllib.request.urlopen(f"{url}/api/v1/export?{form}", timeout=30) as answer:
        for line in answer:
            series = json.loads(line)
            kept = found.setdefault(tuple(sorted(series["metric"].items())), {})
            for at, value in zip(series["timestamps"], series["values"], strict=True):
                if value is not None and not math.isnan(float(value)):
                    kept[at] = float(value)
    return found
