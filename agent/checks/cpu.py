"""How busy is each processor, and what has the kernel done since it started?

/proc/stat (man 5 proc), times in hundredths of a second::

    cpu  13881049 398253 4226065 64155021 16683 0 25195 0 240610 0
    cpu0 1908793 32966 783716 18280310 6130 0 17875 0 23933 0
    intr 2004170 0 0 ...
    ctxt 157981
    btime 1053586993
    processes 86031
    procs_running 6
    procs_blocked 0

One read answers for the processors and for the counters of the whole machine, so both are one check.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from agent.checks.base import COUNTER, GAUGE, Check, Host, Labels, Sample
from agent.checks.labels import NONE, labels
from agent.checks.reading import read_or_no_data, unexpected

PATH = "/proc/stat"
ISOLATED = "/sys/devices/system/cpu/isolated"
TICKS = 100
MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
TOTALS = {
    "btime": ("node_boot_time_seconds", GAUGE),
    "ctxt": ("node_context_switches_total", COUNTER),
    "processes": ("node_forks_total", COUNTER),
    "procs_running": ("node_procs_running", GAUGE),
    "procs_blocked": ("node_procs_blocked", GAUGE),
    "intr": ("node_intr_total", COUNTER),
}


class Stat(NamedTuple):
    """Seconds by processor in the order of the file (user … steal, guest, guest_nice), and the machine's totals by key."""

    processors: dict[str, list[float]]
    totals: dict[str, int]


@lru_cache(maxsize=4096)
def _mode_labels(cpu: str) -> tuple[Labels, ...]:
    return tuple(labels("cpu", cpu, "mode", mode) for mode in MODES)


def parse_stat(text: str) -> Stat:
    """Raises CheckFailed where no processor is named or a line is cut."""
    processors: dict[str, list[float]] = {}
    totals: dict[str, int] = {}
    for line in text.splitlines():
        try:
            if line.startswith("cpu"):
                name, *ticks = line.split()
                if len(ticks) < 4:
                    raise unexpected(PATH, line, "at least user, nice, system and idle time")
                if name != "cpu":
                    processors[name[3:]] = [int(tick) / TICKS for tick in ticks]
            else:
                key, value = line.split(" ", 2)[:2]
                if key in TOTALS:
                    totals[key] = int(value)
        except ValueError:
            raise unexpected(PATH, line, "a name and whole numbers") from None
    if not processors:
        raise unexpected(PATH, text[:40], "a line for each processor (cpu0 …)")
    return Stat(processors, totals)


def parse_list(text: str) -> list[int]:
    """``0,4-6`` -> 0, 4, 5, 6 (the kernel's cpulist). Raises ValueError."""
    found: list[int] = []
    for part in text.strip().split(","):
        if part:
            first, _, last = part.partition("-")
            found.extend(range(int(first), int(last or first) + 1))
    return found


def collect(host: Host) -> Iterator[Sample]:
    stat = parse_stat(read_or_no_data(host, PATH))
    for cpu, seconds in stat.processors.items():
        for mode_labels, value in zip(_mode_labels(cpu), seconds, strict=False):
            yield Sample("node_cpu_seconds_total", COUNTER, mode_labels, value)
        if len(seconds) >= 10:
            yield Sample("node_cpu_guest_seconds_total", COUNTER, labels("cpu", cpu, "mode", "user"), seconds[8])
            yield Sample("node_cpu_guest_seconds_total", COUNTER, labels("cpu", cpu, "mode", "nice"), seconds[9])
    for key, total in stat.totals.items():
        name, type_ = TOTALS[key]
        yield Sample(name, type_, NONE, total)
    for isolated in parse_list(host.read_tree(ISOLATED).get(ISOLATED, "")):
        yield Sample("node_cpu_isolated", GAUGE, labels("cpu", str(isolated)), 1)


CHECK = Check("cpu", collect)
