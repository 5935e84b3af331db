"""Can the processors keep up with arriving packets?

/proc/net/softnet_stat (net/core/net-procfs.c), hexadecimal, a line per processor: processed, dropped, times squeezed;
the thirteenth column names the processor since Linux 5.10::

    00002013 00000000 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, Check, Host, Sample
from agent.checks.labels import labels
from agent.checks.reading import read_or_no_data, unexpected

PATH = "/proc/net/softnet_stat"
NAMES = ("node_softnet_processed_total", "node_softnet_dropped_total", "node_softnet_times_squeezed_total")
PROCESSOR_COLUMN = 12


def parse_softnet(text: str) -> Iterator[Sample]:
    for index, line in enumerate(text.splitlines()):
        parts = line.split()
        try:
            cpu = int(parts[PROCESSOR_COLUMN], 16) if len(parts) > PROCESSOR_COLUMN else index
            values = [int(part, 16) for part in parts[:3]]
        except ValueError:
            values = []
        if len(values) < 3:
            raise unexpected(PATH, line, "at least three hexadecimal numbers")
        where = labels("cpu", str(cpu))
        for name, value in zip(NAMES, values, strict=True):
            yield Sample(name, COUNTER, where, value)


def collect(host: Host) -> Iterator[Sample]:
    return parse_softnet(read_or_no_data(host, PATH))


CHECK = Check("softnet", collect)
