"""How much goes through each network device, and how much is lost?

/proc/net/dev (the kernel's net/core/net-procfs.c), bytes and packets since the device appeared; what no protocol
wanted is only told in /sys/class/net/eth0/statistics/rx_nohandler::

    Inter-|   Receive                                                |  Transmit
     face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
      eth0: 646685545   10678    0    0    0     0          0         0   779416    6205    0    0    0     0       0          0
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, Check, Host, Sample
from agent.checks.labels import labels
from agent.checks.reading import read_or_no_data, unexpected, whole

PATH = "/proc/net/dev"
NO_HANDLER = "/sys/class/net/*/statistics/rx_nohandler"
RECEIVE = ("bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast")
TRANSMIT = ("bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed")
NAMES = tuple(
    f"node_network_{way}_{field}_total"
    for way, fields in (("receive", RECEIVE), ("transmit", TRANSMIT))
    for field in fields
)


def parse_devices(text: str) -> dict[str, list[int]]:
    """Counters by device, in the order of NAMES."""
    found: dict[str, list[int]] = {}
    for line in text.splitlines()[2:]:
        device, colon, rest = line.rpartition(":")
        try:
            values = [int(part) for part in rest.split()]
        except ValueError:
            values = []
        if not colon or len(values) < len(NAMES):
            raise unexpected(PATH, line, "a device, a colon and 16 numbers")
        found[device.strip()] = values
    if not found:
        raise unexpected(PATH, text[:40], "two title lines and a line for each device")
    return found


def collect(host: Host) -> Iterator[Sample]:
    devices = parse_devices(read_or_no_data(host, PATH))
    for device, values in devices.items():
        where = labels("device", device)
        for name, value in zip(NAMES, values, strict=False):
            yield Sample(name, COUNTER, where, value)
    for path, text in host.read_tree(NO_HANDLER).items():
        count = whole(text)
        if count is not None:
            where = labels("device", path.split("/")[4])
            yield Sample("node_network_receive_nohandler_total", COUNTER, where, count)


CHECK = Check("netdev", collect)
