"""A real Prometheus that is told samples by remote write, small enough to be written by hand.

Remote write 0.1 is one protobuf message in a snappy block: both are written here in their plainest form (a snappy block
may be nothing but literals), so that the test stands on no code of ours.
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from real import require

STALE = 0x7FF0000000000002
Told = tuple[Mapping[str, str], list[tuple[int, float | None]]]
"""A series: its labels, and (milliseconds, value) in order of time; None says that it ended there."""


@contextmanager
def told_prometheus(folder: Path) -> Iterator[str]:
    """Address of an empty Prometheus that takes remote write."""
    program = require("prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text("global: {}\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.enable-remote-write-receiver",
                "--log.level=warn",
            ],
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 20
        while not _is_ready(address):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "Prometheus did not come up"
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def tell(address: str, series: Iterable[Told]) -> None:
    """Write samples. Raises AssertionError with Prometheus' own words where it refuses."""
    message = b"".join(_field(1, _series(labels, samples)) for labels, samples in series)
    request = urllib.request.Request(
        f"{address}/api/v1/write",
        _snappy(message),
        {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 204, answer.status
    except urllib.error.HTTPError as why:
        raise AssertionError(why.read().decode()) from why


def ask(address: str, path: str, **form: str) -> tuple[int, Any]:
    """(status, JSON) of a request to the query API."""
    body = urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(f"{address}/api/v1/{path}", body, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as why:
        return why.code, json.load(why)


def _series(labels: Mapping[str, str], samples: list[tuple[int, float | None]]) -> bytes:
    pairs = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in sorted(labels.items())
    )
    values = b"".join(_field(2, b"\x09" + _double(value) + b"\x10" + _varint(at_ms)) for at_ms, value in samples)
    return pairs + values


def _double(value: float | None) -> bytes:
    return struct.pack("<Q", STALE) if value is None else struct.pack("<d", value)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _snappy(content: bytes) -> bytes:
    pieces = [content[at : at + 60_000] for at in range(0, len(content), 60_000)]
    return _varint(len(content)) + b"".join(
        bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece for piece in pieces
    )


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/-/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
