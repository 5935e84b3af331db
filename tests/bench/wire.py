"""Bytes of a report on the line: 20 recorded reports of a host under load, sent as an agent sends them.

The recorded numbers go through the agent's own making of reports, which puts them in order. The whole HTTP request is counted as it leaves the agent's own sender: request line, headers, envelope; without TLS and
TCP. The schema travels once in an agent's life and is not in it; its size is in the note. A report alone carries its
numbers whole, twenty in one envelope share what did not change.
"""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Sequence

import numpy as np

from agent.checks.base import Sample as Number
from agent.checks.base import State
from agent.link.clock import SystemClock
from agent.link.exchange import HttpExchange
from agent.link.keys import new_key
from agent.link.model import Sample, Schema, schema_hash
from agent.link.names import LIVE_LANE, TYPE_NAMES
from agent.link.send_request import Enclosed, Signer, envelopes_request, pack_enclosed
from agent.link.wire import open_schema
from agent.report import HostReports
from tests.bench.figures import Bench, Figure
from tests.bench.record import HOST, Recording, read

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def measure(bench: Bench) -> list[Figure]:
    recording = replayed(read())
    schema = open_schema(recording.schema)
    alone = request_bytes(recording, 1)
    each = request_bytes(recording, len(recording.reports)) / len(recording.reports)
    zero, changing = shares(recording)
    text = exposition(schema, recording.reports[0][1])
    note = (
        f"{len(schema.series)} series, {len(schema.checks)} checks; {zero:.0%} of the series zero, {changing:.0%} changing"
        f" from report to report; the schema, sent once, {len(recording.schema)} bytes"
    )
    bench.say(f"alone {alone}, of twenty {each:.0f}; {note}")
    peers = {"text gzip": float(len(gzip.compress(text, 6)))}
    return [
        Figure("wire_bytes_per_report", alone, peers, note),
        Figure("wire_bytes_per_report_batched", each, peers, note),
    ]


def replayed(recording: Recording) -> Recording:
    """The recording as a host of today reports the same numbers: the first report decides the order of all."""
    schema = open_schema(recording.schema)
    made = HostReports(HOST, "full")
    found: list[tuple[bytes, int, bytes]] = []
    for at_ms, packed in recording.reports:
        values = np.frombuffer(packed, "<f8").tolist()
        numbers, states = values[: len(schema.series)], values[len(schema.series) :]
        report = made.make(
            [Number(one.name, one.type, one.labels, value) for one, value in zip(schema.series, numbers, strict=True)],
            [State(check, int(state), "") for (_, check), state in zip(schema.checks, states, strict=True)],
        )
        found.append((report.schema.packed, at_ms, report.values))
    return Recording(found[0][0], [(at_ms, values) for _, at_ms, values in found])


def request_bytes(recording: Recording, count: int) -> int:
    """Size of the request that carries the first ``count`` reports in one envelope."""
    key = new_key()
    signer = Signer(bytes(range(16)), 1, key.sign)
    name = schema_hash(recording.schema)
    samples: list[Sample] = [
        Sample(1_000 + at, taken, 12, name, values) for at, (taken, values) in enumerate(recording.reports[:count])
    ]
    envelope = pack_enclosed(signer, Enclosed(bytes(range(8)), list(samples), []))
    with Catcher() as catcher:
        url = f"http://127.0.0.1:{catcher.port}"
        exchange = HttpExchange(SystemClock().monotonic)
        exchange(envelopes_request(url, LIVE_LANE, [envelope], recording.reports[0][0], 10.0))
        exchange.close()
    return catcher.size


def shares(recording: Recording) -> tuple[float, float]:
    """Shares of series that are zero throughout, and that change from one report to the next."""
    rows = np.array([np.frombuffer(values, "<u8") for _, values in recording.reports])
    return float((rows == 0).all(axis=0).mean()), float((rows[1:] != rows[:-1]).mean())


def exposition(schema: Schema, values: bytes) -> bytes:
    """The same report in the text format, as an exporter writes it."""
    lines: list[str] = []
    before = ""
    for series, value in zip(schema.series, np.frombuffer(values, "<f8").tolist(), strict=False):
        if series.name != before:
            before = series.name
            lines.append(f"# HELP {before} As node_exporter has it.\n# TYPE {before} {TYPE_NAMES[series.type]}\n")
        lines.append(f"{before}{_labels(series.labels)} {value!r}\n")
    return "".join(lines).encode()


def _labels(labels: Sequence[tuple[str, str]]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""


class Catcher:
    """A server for one request, which counts its bytes."""

    def __enter__(self) -> Catcher:
        self.size = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def _serve(self) -> None:
        line, _ = self._listening.accept()
        line.settimeout(10.0)
        with line:
            taken = b""
            while (end := taken.find(b"\r\n\r\n")) < 0 or len(taken) < end + 4 + _length(taken[:end]):
                taken += line.recv(1 << 16)
            line.sendall(REPLY)
        self.size = len(taken)

    def __exit__(self, *_: object) -> None:
        self._thread.join(10.0)
        self._listening.close()


def _length(head: bytes) -> int:
    return next(int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length:"))
