"""What one host says: 300 series in 88 families with node_exporter's names and labels, as our schema and as text.

The numbers are ``numbers``' own; a round may make all of them new, because a scrape's cost depends on how many have to be
written anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from agent.checks.reading import words
from agent.link.model import Series
from agent.link.names import COUNTER, GAUGE, TYPE_NAMES
from tests.bench.numbers import Values

Column = tuple[str, int, tuple[tuple[str, str], ...]]
"""(name, type, labels) of a series without its host."""

CPUS = tuple(str(cpu) for cpu in range(6))
MODES = ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user")
DISK = words("""reads_completed_total reads_merged_total read_bytes_total read_time_seconds_total writes_completed_total
writes_merged_total written_bytes_total write_time_seconds_total io_now io_time_seconds_total
io_time_weighted_seconds_total discards_completed_total discards_merged_total discarded_sectors_total
discard_time_seconds_total flush_requests_total flush_requests_time_seconds_total""")
NETWORK = words("""receive_bytes_total receive_packets_total receive_errs_total receive_drop_total receive_fifo_total
receive_multicast_total transmit_bytes_total transmit_packets_total transmit_errs_total transmit_drop_total
transmit_fifo_total transmit_colls_total carrier mtu_bytes speed_bytes up""")
FILESYSTEM = words("avail_bytes device_error files files_free free_bytes readonly size_bytes")
SINGLE = words("""boot_time_seconds context_switches_total entropy_available_bits filefd_allocated filefd_maximum forks_total
intr_total load1 load15 load5 memory_Active_bytes memory_AnonPages_bytes memory_Buffers_bytes memory_Cached_bytes
memory_CommitLimit_bytes memory_Committed_AS_bytes memory_Dirty_bytes memory_Inactive_bytes memory_KernelStack_bytes
memory_Mapped_bytes memory_MemAvailable_bytes memory_MemFree_bytes memory_MemTotal_bytes memory_PageTables_bytes
memory_Shmem_bytes memory_Slab_bytes memory_SwapFree_bytes memory_SwapTotal_bytes memory_Writeback_bytes
netstat_Tcp_ActiveOpens netstat_Tcp_CurrEstab netstat_Tcp_InSegs netstat_Tcp_OutSegs netstat_Tcp_RetransSegs
procs_blocked procs_running sockstat_TCP_inuse time_seconds vmstat_pgfault vmstat_pgmajfault""")
MACHINES = (("sda", "eth", "ext4"), ("nvme", "eno", "xfs"), ("vda", "ens", "ext4"), ("dm-", "bond", "btrfs"))
"""Disk, network and filesystem names of the kinds of machine a fleet has."""


def columns(kind: int = 0) -> tuple[Column, ...]:
    """The series of one kind of machine, sorted by name."""
    disk, net, fs = MACHINES[kind % len(MACHINES)]
    disks = tuple(f"{disk}{n}" for n in range(3))
    devices = ("lo", *(f"{net}{n}" for n in range(4)))
    mounts = ("/", "/boot", "/home", "/srv", "/var")
    found: list[Column] = []
    for name, labels in (
        *(("node_cpu_seconds_total", (("cpu", c), ("mode", m))) for c, m in product(CPUS, MODES)),
        *(("node_cpu_guest_seconds_total", (("cpu", c), ("mode", m))) for c, m in product(CPUS, ("nice", "user"))),
        *((f"node_disk_{f}", (("device", d),)) for f, d in product(DISK, disks)),
        *((f"node_network_{f}", (("device", d),)) for f, d in product(NETWORK, devices)),
        *(
            (f"node_filesystem_{f}", (("device", f"/dev/{disk}0"), ("fstype", fs), ("mountpoint", m)))
            for f, m in product(FILESYSTEM, mounts)
        ),
        *(
            (f"node_{f}_total", (("cpu", c),))
            for f, c in product(
                (
                    "softnet_processed",
                    "softnet_dropped",
                    "schedstat_running_seconds",
                    "schedstat_waiting_seconds",
                    "schedstat_timeslices",
                ),
                CPUS,
            )
        ),
        *(
            ("node_cooling_device_cur_state", (("name", str(n)), ("type", "Processor")))
            for n in range(300 - 60 - 51 - 80 - 35 - 30 - len(SINGLE))
        ),
        *((f"node_{f}", ()) for f in SINGLE),
    ):
        found.append((name, COUNTER if name.endswith("_total") else GAUGE, labels))
    assert len(found) == 300
    assert len({name for name, _, _ in found}) == 88
    return tuple(sorted(found))


def of_host(host: str, kind: int = 0) -> tuple[Series, ...]:
    return tuple(Series(host, name, type_, labels) for name, type_, labels in columns(kind))


def values(kind: int, number: int) -> Values:
    """The numbers of one host of the fleet."""
    return Values([f"{name} {labels[-1][1] if labels else ''}" for name, _, labels in columns(kind)], number)


def text(kind: int, numbers: NDArray[np.float64]) -> bytes:
    """The same report in the Prometheus text format, as the peers take it."""
    return "".join(_lines(kind, numbers)).encode()


def _lines(kind: int, numbers: NDArray[np.float64]) -> Iterator[str]:
    before = ""
    for (name, type_, labels), value in zip(columns(kind), numbers.tolist(), strict=True):
        if name != before:
            before = name
            yield f"# HELP {name} One of node_exporter's.\n# TYPE {name} {TYPE_NAMES[type_]}\n"
        inside = ",".join(f'{label}="{content}"' for label, content in labels)
        yield f"{name}{{{inside}}} {value!r}\n" if inside else f"{name} {value!r}\n"
