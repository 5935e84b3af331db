"""How many neighbours are known on each network device? /proc/net/arp::

IP address       HW type     Flags       HW address            Mask     Device
192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, Sample
from agent.checks.labels import labels
from agent.checks.reading import read_or_no_data, unexpected

PATH = "/proc/net/arp"


def parse_arp(text: str) -> dict[str, int]:
    """Entries by device."""
    entries: dict[str, int] = {}
    for line in text.splitlines()[1:]:
        parts = line.split()
        if len(parts) < 6:
            raise unexpected(PATH, line, "six columns")
        device = parts[5]
        entries[device] = entries.get(device, 0) + 1
    return entries


def collect(host: Host) -> Iterator[Sample]:
    for device, count in parse_arp(read_or_no_data(host, PATH)).items():
        yield Sample("node_arp_entries", GAUGE, labels("device", device), count)


CHECK = Check("arp", collect)
