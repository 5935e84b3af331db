"""What a host of the core profile says each minute: about sixty series that move as a machine's do."""

from __future__ import annotations

import random
from collections.abc import Sequence

from agent.link.model import Schema, Series, make_schema
from agent.link.names import COUNTER, GAUGE

_CPU = tuple(
    (f"node_{name}_total", COUNTER, (("cpu", cpu), ("mode", mode)))
    for name in ("cpu_seconds",)
    for cpu in ("0", "1")
    for mode in ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user")
)
_DISK = tuple(
    (f"node_disk_{name}_total", COUNTER, (("device", "sda"),))
    for name in ("io_time_seconds", "read_bytes", "written_bytes", "reads_completed", "writes_completed")
)
_NETWORK = tuple(
    (f"node_network_{name}_total", COUNTER, (("device", device),))
    for name in ("receive_bytes", "transmit_bytes", "receive_errs", "transmit_errs", "receive_drop")
    for device in ("eth0", "lo")
)
_FILES = tuple(
    (f"node_filesystem_{name}", GAUGE, (("device", "/dev/sda1"), ("fstype", "ext4"), ("mountpoint", mount)))
    for name in ("size_bytes", "avail_bytes", "files", "files_free", "readonly")
    for mount in ("/", "/var")
)
_PLAIN = tuple(
    (f"node_{name}", COUNTER if name.endswith(("_total", "oom_kill", "Segs")) else GAUGE, ())
    for name in (
        "load1",
        "load5",
        "load15",
        "boot_time_seconds",
        "time_seconds",
        "procs_running",
        "procs_blocked",
        "memory_MemTotal_bytes",
        "memory_MemAvailable_bytes",
        "memory_MemFree_bytes",
        "memory_Cached_bytes",
        "memory_SwapFree_bytes",
        "memory_SwapTotal_bytes",
        "netstat_Tcp_CurrEstab",
        "netstat_Tcp_RetransSegs",
        "netstat_Tcp_OutSegs",
        "filefd_allocated",
        "timex_offset_seconds",
        "vmstat_oom_kill",
    )
)
CORE = _CPU + _DISK + _NETWORK + _FILES + _PLAIN


def core_schema(host: str) -> Schema:
    return make_schema(tuple(Series(host, name, kind, labels) for name, kind, labels in CORE), ())


class CoreValues:
    """A quiet server: errors stand still, counters grow by chance amounts, memory and load wander."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._now = [float(chance.randrange(1 << 34)) if kind == COUNTER else 1e9 for _, kind, _ in CORE]

    def next(self) -> Sequence[float]:
        """The numbers of the next minute."""
        chance, now = self._chance, self._now
        for at, (name, kind, labels) in enumerate(CORE):
            if (
                "errs" in name
                or "drop" in name
                or "oom" in name
                or ("mode", "nice") in labels
                or "steal" in str(labels)
            ):
                continue
            if kind == COUNTER:
                grown = chance.expovariate(1 / 20) if "seconds" in name else float(chance.randrange(200_000))
                now[at] = round(now[at] + grown, 2)
            elif name.startswith("node_load"):
                now[at] = round(chance.uniform(0, 2), 2)
            elif name in ("node_time_seconds",):
                now[at] = round(now[at] + 60 + chance.uniform(-0.01, 0.01), 3)
            elif "avail" in name.lower() or "Free" in name or "Cached" in name:
                now[at] += 4096.0 * chance.randrange(-500, 500)
            elif "procs" in name or "Estab" in name or "allocated" in name:
                now[at] = float(chance.randrange(1, 40))
            elif "offset" in name:
                now[at] = round(chance.gauss(0, 1e-4), 9)
        return now
