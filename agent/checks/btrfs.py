"""How is the space of each btrfs filesystem used, by kind of data and by layout?

/sys/fs/btrfs/<uuid>: label, allocation/global_rsv_size, allocation/data/bytes_reserved, allocation/data/raid1/total_bytes
and used_bytes, devices/sda/size (sectors). Errors and unused space of single devices need an ioctl and are not told.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, Labels, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import whole, words

FOLDER = "/sys/fs/btrfs/"
FILES = words(
    "label allocation/global_rsv_size allocation/*/bytes_reserved allocation/*/*/total_bytes allocation/*/*/used_bytes"
    " devices/*/size"
)
PATTERNS = tuple(f"{FOLDER}*-*/{file}" for file in FILES)
SECTOR = 512
COPIES = {"single": 1, "dup": 2, "raid0": 1, "raid1": 2, "raid1c3": 3, "raid1c4": 4, "raid10": 2}


def ratio(layout: str, devices: int) -> float:
    """Bytes on disk for each byte stored; 0 where the layout is not known or the devices are too few."""
    parity = {"raid5": 1, "raid6": 2}.get(layout)
    if parity is None:
        return COPIES.get(layout, 0)
    return devices / (devices - parity) if devices > parity else 0


def parse_filesystem(uuid: str, files: dict[str, str]) -> Iterator[Sample]:
    """Samples of one filesystem from its files by path below its folder."""
    where = labels("uuid", uuid)
    devices = sum(path.startswith("devices/") for path in files)
    yield Sample("node_btrfs_info", GAUGE, labels("label", files.get("label", "").strip(), "uuid", uuid), 1)
    for path, text in files.items():
        value = whole(text)
        if value is None:
            continue
        match path.split("/"):
            case ["allocation", "global_rsv_size"]:
                yield Sample("node_btrfs_global_rsv_size_bytes", GAUGE, where, value)
            case ["devices", device, "size"]:
                yield Sample(
                    "node_btrfs_device_size_bytes", GAUGE, labels("device", device, "uuid", uuid), value * SECTOR
                )
            case ["allocation", kind, "bytes_reserved"]:
                yield Sample("node_btrfs_reserved_bytes", GAUGE, labels("block_group_type", kind, "uuid", uuid), value)
            case ["allocation", kind, layout, "total_bytes"]:
                there: Labels = labels("block_group_type", kind, "mode", layout, "uuid", uuid)
                yield Sample("node_btrfs_size_bytes", GAUGE, there, value)
                yield Sample("node_btrfs_allocation_ratio", GAUGE, there, ratio(layout, devices))
            case ["allocation", kind, layout, "used_bytes"]:
                there = labels("block_group_type", kind, "mode", layout, "uuid", uuid)
                yield Sample("node_btrfs_used_bytes", GAUGE, there, value)


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATTERNS)
    if not files:
        raise NoData("no btrfs filesystem is mounted")
    filesystems: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        uuid, _, rest = path.removeprefix(FOLDER).partition("/")
        filesystems.setdefault(uuid, {})[rest] = text
    for uuid, its_files in filesystems.items():
        yield from parse_filesystem(uuid, its_files)


CHECK = Check("btrfs", collect)
