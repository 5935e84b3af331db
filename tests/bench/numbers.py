"""The numbers of a fleet as they are on most days: hosts that are well, and of a hundred one that is not.

Between two reports of a real machine most numbers stand still, and many are zero for ever (``wire`` prints the shares of
a recorded one). Here of five series two move, two are zero and one stands: counters grow, gauges walk between bounds of
their own. Numbers that no machine has would make rules find thousands of alerts, and the figures those of a catastrophe.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

INTERVAL = 15.0
GIB = float(1 << 30)
DAY = 86_400.0
NEVER_ENDS = 1e15


class Course(NamedTuple):
    """How one number goes on: it begins within ``first``, each report adds something within ``step``, and it stays
    within ``bounds``; ``unit`` is the least it moves by."""

    first: tuple[float, float]
    step: tuple[float, float] = (0.0, 0.0)
    bounds: tuple[float, float] = (0.0, NEVER_ENDS)
    unit: float = 1.0


ZERO = Course((0.0, 0.0))


def still(value: float, up_to: float | None = None) -> Course:
    return Course((value, value if up_to is None else up_to))


def counter(least: float, most: float, unit: float = 1.0) -> Course:
    """Grows by so much in a report; it has run for a day to three months."""
    return Course((DAY / INTERVAL * most, 90 * DAY / INTERVAL * most), (least, most), unit=unit)


def walk(low: float, high: float, unit: float = 1.0) -> Course:
    """Goes up and down by up to a fiftieth of its range."""
    most = (high - low) / 50
    return Course((low, high), (-most, most), (low, high), unit)


def memory(low: float, high: float) -> Course:
    return walk(low * 16 * GIB, high * 16 * GIB, 1024.0)


COURSES: tuple[tuple[str, Course], ...] = (
    ("cpu_seconds_total*idle", counter(12.5, 14.5, 0.01)),
    ("cpu_seconds_total*iowait", counter(0.0, 0.2, 0.01)),
    ("cpu_seconds_total*softirq", counter(0.0, 0.1, 0.01)),
    ("cpu_seconds_total*system", counter(0.1, 0.6, 0.01)),
    ("cpu_seconds_total*user", counter(0.2, 1.5, 0.01)),
    ("disk_discard*", ZERO),
    ("disk_*_bytes_total*0", counter(1e5, 5e7, 512.0)),
    ("disk_*_seconds_total*0", counter(0.05, 2.0, 0.001)),
    ("disk_reads_completed_total*0", counter(5, 3_000)),
    ("disk_writes_completed_total*0", counter(50, 5_000)),
    ("disk_writes_merged_total*0", counter(20, 2_000)),
    ("disk_flush_requests_total*0", counter(5, 500)),
    ("disk_writ*1", counter(20, 9_000)),
    ("disk_io_time_seconds_total*1", counter(0.05, 2.0, 0.001)),
    ("disk_io_now*", ZERO),
    ("disk_*_total*1", still(1e4, 1e9)),
    ("network_*_bytes_total*[o01]", counter(1e4, 2e7)),
    ("network_*_packets_total*[o01]", counter(50, 30_000)),
    ("network_receive_multicast_total*[01]", counter(1, 60)),
    ("network_mtu_bytes*", still(1500)),
    ("network_speed_bytes*[01]", still(125_000_000)),
    ("network_carrier*[o01]", still(1)),
    ("network_up*[o01]", still(1)),
    ("filesystem_size_bytes*", still(100 * GIB)),
    ("filesystem_avail_bytes*/boot", still(80 * GIB)),
    ("filesystem_free_bytes*/boot", still(85 * GIB)),
    ("filesystem_avail_bytes*", walk(40 * GIB, 70 * GIB, 4096.0)),
    ("filesystem_free_bytes*", walk(45 * GIB, 75 * GIB, 4096.0)),
    ("filesystem_files", still(6_553_600)),
    ("filesystem_files /*", still(6_553_600)),
    ("filesystem_files_free*/boot", still(6_553_000)),
    ("filesystem_files_free*", walk(5e6, 6e6)),
    ("softnet_processed*", counter(500, 60_000)),
    ("schedstat_running_seconds*", counter(0.3, 2.5, 0.000001)),
    ("schedstat_waiting_seconds*", counter(0.01, 0.4, 0.000001)),
    ("schedstat_timeslices*", counter(1_000, 50_000)),
    ("boot_time_seconds", still(0)),  # set by ``Values``, as is the next
    ("time_seconds", Course((0.0, 0.0), (INTERVAL - 0.05, INTERVAL + 0.05), unit=0.001)),
    ("context_switches_total", counter(20_000, 400_000)),
    ("intr_total", counter(10_000, 300_000)),
    ("forks_total", counter(5, 600)),
    ("entropy_available_bits", still(256)),
    ("filefd_allocated", walk(1_500, 4_000, 32.0)),
    ("filefd_maximum", still(1_613_000)),
    ("load*", walk(0.05, 2.5, 0.01)),
    ("memory_CommitLimit_bytes", still(10 * GIB)),
    ("memory_MemTotal_bytes", still(16 * GIB)),
    ("memory_Swap*_bytes", still(2 * GIB)),
    ("memory_MemAvailable_bytes", memory(0.35, 0.7)),
    ("memory_MemFree_bytes", memory(0.1, 0.3)),
    ("memory_*_bytes", memory(0.02, 0.2)),
    ("netstat_Tcp_RetransSegs", counter(0, 40)),
    ("netstat_Tcp_CurrEstab", walk(20, 200)),
    ("netstat_Tcp_*", counter(20, 40_000)),
    ("procs_running", walk(1, 60)),
    ("sockstat_TCP_inuse", walk(20, 200)),
    ("vmstat_pgfault", counter(5_000, 900_000)),
)
"""Pattern of a name (without ``node_``) and its last label's text, and how such a number goes on; the first that fits.
Whatever fits none is zero."""

TROUBLES: tuple[dict[str, Course], ...] = (
    {"filesystem_avail_bytes*/var": walk(1 * GIB, 4 * GIB, 4096.0)},
    {"memory_MemAvailable_bytes": memory(0.01, 0.04)},
    {"boot_time_seconds": still(1)},
    {"network_receive_errs_total*0": counter(60, 900)},
    {"filesystem_files_free*/srv": walk(1e4, 2e5), "filesystem_readonly*/home": still(1)},
)
"""What is otherwise on a host that is not well: a disk nearly full, no memory, a restart just now, a bad cable, and no
inodes beside a file system the kernel has closed."""
ONE_IN = 100


def trouble_of(number: int) -> int | None:
    """Which of the troubles a host of the fleet has: mostly none."""
    turn, place = divmod(number, ONE_IN)
    return turn % len(TROUBLES) if place == ONE_IN // 2 else None


class Values:
    """A host's numbers from report to report; the host's place in the fleet decides what they are."""

    def __init__(self, names: Sequence[str], number: int) -> None:
        """``names``: of each series its name and the text of its last label, a blank between."""
        self._random = np.random.default_rng(number)
        trouble = trouble_of(number)
        courses = [_course(name.removeprefix("node_"), trouble) for name in names]
        self._least, self._most = (np.array([one.step[at] for one in courses]) for at in (0, 1))
        self._low, self._high = (np.array([one.bounds[at] for one in courses]) for at in (0, 1))
        self._unit = np.array([one.unit for one in courses])
        self._stands = self._least == self._most
        self._is_errors = np.array(["_errs_" in name for name in names])
        first = np.array([one.first for one in courses])
        self.now: NDArray[np.float64] = self._whole(self._random.uniform(first[:, 0], first[:, 1]))
        clock, boot = (next(at for at, name in enumerate(names) if name.strip() == f"node_{n}") for n in _CLOCKS)
        was_restarted = bool(self.now[boot])
        self.now[clock] = round(time.time(), 3)
        self.now[boot] = round(time.time()) - (60 if was_restarted else self._random.integers(2, 200) * DAY)

    def _whole(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round(np.round(values / self._unit) * self._unit, 6)

    def step(self, all_new: bool) -> NDArray[np.float64]:
        """The next report's numbers; two in five of them new, or all."""
        moved = np.clip(self.now + self._random.uniform(self._least, self._most), self._low, self._high)
        if all_new:
            growth = np.where(self._is_errors, 1.0, 2 + np.round(self._random.random(len(moved)) * 2000))
            moved = np.where(self._stands, self.now + growth, moved)
        moved = self._whole(moved)
        self.now = np.where(moved == self.now, moved + self._unit, moved) if all_new else moved
        return self.now


_CLOCKS = ("time_seconds", "boot_time_seconds")


@cache
def _course(name: str, trouble: int | None) -> Course:
    for pattern, course in (*(() if trouble is None else TROUBLES[trouble].items()), *COURSES):
        if fnmatchcase(name.rstrip(), pattern):
            return course
    return ZERO
