"""The host series our boards ask for are those our checks yield, with the same types and labels."""

from __future__ import annotations

from host_series import HOST_SERIES

from agent.checks.base import NoData, Sample
from agent.checks.local import LocalHost
from agent.checks.profiles import CORE, LEVEL_OF
from agent.checks.table import DEFAULT, load
from agent.link.names import TYPE_NAMES

BY_CHECK = {
    "cpu": ("node_cpu_",),
    "load": ("node_load",),
    "memory": ("node_memory_",),
    "filesystem": ("node_filesystem_",),
    "time": ("node_time_",),
    "pressure": ("node_pressure_",),
    "diskstats": ("node_disk_",),
    "netdev": ("node_network_",),
    "netstat": ("node_netstat_",),
    "filefd": ("node_filefd_",),
    "hwmon": ("node_hwmon_",),
}
"""Which check yields which of the names; ``node_boot_time_seconds`` comes from one that reads ``/proc/stat``."""


def yielded_here() -> tuple[dict[str, tuple[str, set[frozenset[str]]]], set[str]]:
    """Type and label names by metric as this machine yields them, and the checks it has nothing to tell for."""
    host = LocalHost()
    found: dict[str, tuple[str, set[frozenset[str]]]] = {}
    silent = set()
    for name in DEFAULT:
        try:
            results = list(load(name).collect(host))
        except NoData:
            silent.add(name)
            continue
        for sample in results:
            if isinstance(sample, Sample):
                _, keys = found.setdefault(sample.name, (TYPE_NAMES[sample.type], set()))
                keys.add(frozenset(label for label, _ in sample.labels))
    return found, silent


def test_boards_ask_for_what_checks_yield() -> None:
    found, silent = yielded_here()
    excused = tuple(start for check in silent for start in BY_CHECK.get(check, ()))
    for name, (kind, sets) in HOST_SERIES.items():
        if not name.startswith("node_") or (name not in found and name.startswith(excused)):
            continue
        assert name in found, f"no check yields {name}, which a board asks for"
        assert found[name] == (kind, {frozenset(labels) for labels in sets}), name


def test_boards_are_whole_over_a_thin_link() -> None:
    """What a board shows travels in the smallest profile, or a post on 64 kbit/s has holes; but for temperatures."""
    assert [name for name in HOST_SERIES if name.startswith("node_") and LEVEL_OF.get(name) != CORE] == [
        "node_hwmon_temp_celsius"
    ]
