"""``python -m tests.bench.record``: make ``reports.bin`` anew from this machine, over five minutes.

Run it on a machine under load. The checks are the agent's own, all default ones but two, so that a report has about 300
series, as a host of the wire targets has. The file: zstd of MessagePack ``[schema, [[taken_at_ms, values], ...]]``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
from backports import zstd

from agent.checks.base import Sample, State
from agent.checks.local import LocalHost
from agent.checks.runner import run_check
from agent.checks.table import DEFAULT, load
from agent.report import HostReports

FILE = Path(__file__).with_name("reports.bin")
HOST, COUNT, INTERVAL_SECONDS = "srv1.abuja", 20, 15.0
LEFT_OUT = ("netclass", "sockstat")


class Recording(NamedTuple):
    """``values``: one row of float64 words for each report, under one schema."""

    schema: bytes
    reports: list[tuple[int, bytes]]


def read() -> Recording:
    return msgspec.msgpack.decode(zstd.decompress(FILE.read_bytes()), type=Recording)


def record() -> Recording:
    checks = [load(name) for name in DEFAULT if name not in LEFT_OUT]
    host, made = LocalHost(), HostReports(HOST, "full")
    found: list[tuple[bytes, int, bytes]] = []
    while len(found) < COUNT:
        began = time.monotonic()
        results = [result for check in checks for result in run_check(check, host).results]
        samples = [result for result in results if isinstance(result, Sample)]
        report = made.make(samples, [result for result in results if isinstance(result, State)])
        if found and found[0][0] != report.schema.packed:
            found.clear()  # a device came or went: twenty reports under one schema are wanted
        found.append((report.schema.packed, time.time_ns() // 1_000_000, report.values))
        print(f"{len(found)} of {COUNT}: {len(samples)} series", file=sys.stderr)
        time.sleep(max(0.0, began + INTERVAL_SECONDS - time.monotonic()))
    return Recording(found[0][0], [(at_ms, values) for _, at_ms, values in found])


if __name__ == "__main__":
    FILE.write_bytes(zstd.compress(msgspec.msgpack.encode(record()), 19))
