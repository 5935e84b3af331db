"""What is each network device, is its link up, and how often did that change?

One small file per fact in /sys/class/net/eth0 (Documentation/ABI/testing/sysfs-class-net); a file a device has no
answer for refuses to be read (``speed`` of a bridge)::

    operstate: up      mtu: 1500      flags: 0x1003      speed: 10000      carrier_changes: 2

Twenty-one files for each device would be half the cost of a report on a machine with many containers. So only the
files that tell of a change are read each round; the others when one of those moved, and every REREAD_ROUNDS anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import PerHost, whole

FOLDER = "/sys/class/net/*/"
REREAD_ROUNDS = 20
WATCHED = ("operstate", "carrier_changes", "flags", "mtu", "ifindex")
NUMBERS = (
    ("addr_assign_type", "node_network_address_assign_type", GAUGE),
    ("carrier", "node_network_carrier", GAUGE),
    ("carrier_changes", "node_network_carrier_changes_total", COUNTER),
    ("carrier_up_count", "node_network_carrier_up_changes_total", COUNTER),
    ("carrier_down_count", "node_network_carrier_down_changes_total", COUNTER),
    ("dev_id", "node_network_device_id", GAUGE),
    ("dormant", "node_network_dormant", GAUGE),
    ("flags", "node_network_flags", GAUGE),
    ("ifindex", "node_network_iface_id", GAUGE),
    ("iflink", "node_network_iface_link", GAUGE),
    ("link_mode", "node_network_iface_link_mode", GAUGE),
    ("mtu", "node_network_mtu_bytes", GAUGE),
    ("name_assign_type", "node_network_name_assign_type", GAUGE),
    ("netdev_group", "node_network_net_dev_group", GAUGE),
    ("tx_queue_len", "node_network_transmit_queue_length", GAUGE),
    ("type", "node_network_protocol_type", GAUGE),
)
SPEED_UNIT = 1_000_000 // 8
"""``speed`` is in Mbit/s, the metric in bytes per second; -1 (unknown) is passed on as node_exporter does."""
TEXTS = ("address", "broadcast", "duplex", "ifalias")
WATCHED_PATTERNS = tuple(FOLDER + file for file in WATCHED)
ALL_PATTERNS = tuple(FOLDER + file for file in sorted({*WATCHED, *TEXTS, "speed", *(file for file, _, _ in NUMBERS)}))


class Remembered:
    """What was read of one host: the watched files, the samples made of all files, and the rounds since."""

    def __init__(self, watched: dict[str, str], samples: list[Sample]) -> None:
        self.watched = watched
        self.samples = samples
        self.rounds = 0


_remembered: PerHost[Remembered] = PerHost()


def parse_devices(files: dict[str, str]) -> Iterator[Sample]:
    """All samples of all devices from the text of their files by path."""
    devices: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        _, _, _, _, device, file = path.split("/")
        devices.setdefault(device, {})[file] = text.strip()
    for device, facts in devices.items():
        where = labels("device", device)
        for file, name, type_ in NUMBERS:
            value = whole(facts.get(file, ""), 0)
            if value is not None:
                yield Sample(name, type_, where, value)
        speed = whole(facts.get("speed", ""))
        if speed is not None:
            yield Sample("node_network_speed_bytes", GAUGE, where, speed * SPEED_UNIT)
        state = facts.get("operstate", "")
        yield Sample("node_network_up", GAUGE, where, 1 if state == "up" else 0)
        texts = {name: facts.get(name, "") for name in TEXTS}
        info = labels(
            *("address", texts["address"], "broadcast", texts["broadcast"], "device", device),
            *("duplex", texts["duplex"], "ifalias", texts["ifalias"], "operstate", state),
        )
        yield Sample("node_network_info", GAUGE, info, 1)


def collect(host: Host) -> list[Sample]:
    watched = host.read_tree(*WATCHED_PATTERNS)
    known = _remembered.get(host)
    if known is not None and known.watched == watched and known.rounds < REREAD_ROUNDS:
        known.rounds += 1
        return known.samples
    files = host.read_tree(*ALL_PATTERNS)
    if not files:
        raise NoData("/sys/class/net is empty")
    samples = list(parse_devices(files))
    watched = {path: text for path, text in files.items() if path.rpartition("/")[2] in WATCHED}
    return _remembered.keep(host, Remembered(watched, samples)).samples


CHECK = Check("netclass", collect)
