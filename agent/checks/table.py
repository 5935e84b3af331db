"""All checks by name. A check is one file here and one line in this table; it is imported when it first runs.

DEFAULT are those every host runs without being told; ``process`` and ``systemd`` are asked for in agent.toml.
What node_exporter 1.5 shows and we do not is listed, with reasons, in docs/parity.md.
"""

from __future__ import annotations

from importlib import import_module

from agent.checks.base import Check

DEFAULT = (
    *("cpu", "memory", "load", "filesystem", "diskstats", "netdev", "netclass", "netstat", "sockstat", "softnet"),
    *(
        "conntrack",
        "pressure",
        "vmstat",
        "time",
        "timex",
        "uname",
        "os",
        "filefd",
        "entropy",
        "cpufreq",
        "thermal_throttle",
        "hwmon",
    ),
    *("thermal_zone", "power_supply", "edac", "rapl", "schedstat", "arp", "bonding", "mdadm", "nvme", "btrfs", "xfs"),
    *(
        "zfs",
        "bcache",
        "nfs",
        "nfsd",
        "ipvs",
        "infiniband",
        "fibrechannel",
        "tapestats",
        "udp_queues",
        "dmi",
        "selinux",
    ),
)
_MODULES = {"os": "os_release"}
"""Where the file is not called like the check."""
TABLE: dict[str, str] = {name: f"agent.checks.{_MODULES.get(name, name)}:CHECK" for name in (*DEFAULT, "systemd")}


def load(name: str) -> Check:
    """The check of that name. Raises KeyError for a name that is not in the table."""
    module, _, attribute = TABLE[name].partition(":")
    check = getattr(import_module(module), attribute)
    assert isinstance(check, Check), TABLE[name]
    return check
