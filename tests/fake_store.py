"""A store that takes remote write, as a real little server; ``rule`` decides on each request.

It keeps what it answered 2xx to, by series and instant, so that a test can compare all of it.
"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import snappy

from collector.exposition.remote_write.message import WriteRequest

LabelSet = tuple[tuple[str, str], ...]


class Answer(NamedTuple):
    status: int = 204
    kind: str = ""
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Sample(NamedTuple):
    labels: LabelSet
    at_ms: int
    value: float

    @property
    def name(self) -> str:
        return dict(self.labels)["__name__"]


TAKEN = Answer()
Rule = Callable[[list[Sample]], Answer]


class FakeStore:
    def __init__(self) -> None:
        self.rule: Rule = lambda _samples: TAKEN
        self.kept: dict[LabelSet, dict[int, float]] = {}
        self.order: list[int] = []
        """Instants in the order they were taken."""
        self.requests = 0
        self.twice = 0
        """Samples that were there already."""
        self.headers: dict[str, str] = {}
        self.url = ""

    def take(self, body: bytes) -> Answer:
        samples = [
            Sample(tuple((label.name, label.value) for label in series.labels), sample.timestamp, sample.value)
            for series in WriteRequest.FromString(snappy.decompress(body)).timeseries
            for sample in series.samples
        ]
        self.requests += 1
        answer = self.rule(samples)
        if 200 <= answer.status < 300 and answer.kind != "text/html":
            for sample in samples:
                kept = self.kept.setdefault(sample.labels, {})
                self.twice += sample.at_ms in kept
                kept[sample.at_ms] = sample.value
                self.order.append(sample.at_ms)
        return answer

    @property
    def count(self) -> int:
        return sum(map(len, self.kept.values()))

    def of(self, name: str) -> dict[int, float]:
        """Samples of the one series of that name."""
        (found,) = [kept for labels, kept in self.kept.items() if dict(labels)["__name__"] == name]
        return found


@contextmanager
def serving() -> Iterator[FakeStore]:
    store = FakeStore()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # an answer is one packet, or each would wait for an acknowledgement

        def do_POST(self) -> None:
            store.headers = {name.lower(): value for name, value in self.headers.items()}
            answer = store.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(answer.status)
            for name, value in (*answer.headers, *([("Content-Type", answer.kind)] if answer.kind else [])):
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    store.url = f"http://127.0.0.1:{server.server_port}/api/v1/write"
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
