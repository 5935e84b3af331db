"""How long did tasks run, and how long did they wait for a processor?

/proc/schedstat (Documentation/scheduler/sched-stats.rst): the last three numbers of a ``cpu`` line are nanoseconds
run, nanoseconds waited and time slices::

    cpu0 0 0 0 0 0 0 2802933386083363 471000969592024 6531454869
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, Check, Host, Sample
from agent.checks.labels import labels
from agent.checks.reading import read_or_no_data, unexpected

PATH = "/proc/schedstat"


def parse_schedstat(text: str) -> Iterator[Sample]:
    for line in text.splitlines():
        if not line.startswith("cpu"):
            continue
        name, *parts = line.split()
        try:
            running, waiting, slices = (int(part) for part in parts[6:9])
        except ValueError:
            raise unexpected(PATH, line, "nine whole numbers after the processor") from None
        where = labels("cpu", name.removeprefix("cpu"))
        yield Sample("node_schedstat_running_seconds_total", COUNTER, where, running / 1e9)
        yield Sample("node_schedstat_waiting_seconds_total", COUNTER, where, waiting / 1e9)
        yield Sample("node_schedstat_timeslices_total", COUNTER, where, slices)


def collect(host: Host) -> Iterator[Sample]:
    return parse_schedstat(read_or_no_data(host, PATH))


CHECK = Check("schedstat", collect)
