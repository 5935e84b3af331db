"""For how long did tasks have to wait for processor, disk or memory?

/proc/pressure/io (Documentation/accounting/psi.rst), totals in microseconds::

    some avg10=0.00 avg60=0.06 avg300=0.41 total=25585025
    full avg10=0.00 avg60=0.05 avg300=0.38 total=24088778
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, Check, Host, NoData, Sample
from agent.checks.labels import NONE
from agent.checks.reading import unexpected, whole

FOLDER = "/proc/pressure"
METRICS = {
    ("cpu", "some"): "node_pressure_cpu_waiting_seconds_total",
    ("io", "some"): "node_pressure_io_waiting_seconds_total",
    ("io", "full"): "node_pressure_io_stalled_seconds_total",
    ("memory", "some"): "node_pressure_memory_waiting_seconds_total",
    ("memory", "full"): "node_pressure_memory_stalled_seconds_total",
}
PATHS = tuple(f"{FOLDER}/{resource}" for resource in ("cpu", "io", "memory"))


def parse_pressure(path: str, text: str) -> Iterator[tuple[str, float]]:
    """(``some`` or ``full``, seconds)."""
    for line in text.splitlines():
        kind, _, _ = line.partition(" ")
        total = whole(line.rpartition(" total=")[2])
        if kind not in ("some", "full") or total is None:
            raise unexpected(path, line, "'some' or 'full', averages and total=<microseconds>")
        yield kind, total / 1_000_000


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATHS)
    if not files:
        raise NoData("this kernel does not account pressure (needs CONFIG_PSI, and psi=1 on some distributions)")
    for path, text in files.items():
        resource = path.rpartition("/")[2]
        for kind, seconds in parse_pressure(path, text):
            name = METRICS.get((resource, kind))
            if name is not None:
                yield Sample(name, COUNTER, NONE, seconds)


CHECK = Check("pressure", collect)
