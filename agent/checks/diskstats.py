"""How busy is each disk, and what is it?

/proc/diskstats (Documentation/admin-guide/iostats.rst), times in ms, a sector is always 512 bytes; discards came with
Linux 4.18 and flushes with 5.5::

     254       0 vda 34645 10313 3368517 48674 29278 27821 6188794 22763 0 29680 72783 8467 24 385912 1152 4203 193

What a disk is comes from udev's database, /run/udev/data/b254:0, lines such as ``E:ID_MODEL=WDC_WD40``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from agent.checks.base import COUNTER, GAUGE, Check, Host, Labels, Sample
from agent.checks.labels import labels
from agent.checks.reading import number, read_or_no_data, unexpected

PATH = "/proc/diskstats"
UDEV = "/run/udev/data/b"
MS, SECTOR = 0.001, 512
COLUMNS = (
    ("node_disk_reads_completed_total", COUNTER, 1),
    ("node_disk_reads_merged_total", COUNTER, 1),
    ("node_disk_read_bytes_total", COUNTER, SECTOR),
    ("node_disk_read_time_seconds_total", COUNTER, MS),
    ("node_disk_writes_completed_total", COUNTER, 1),
    ("node_disk_writes_merged_total", COUNTER, 1),
    ("node_disk_written_bytes_total", COUNTER, SECTOR),
    ("node_disk_write_time_seconds_total", COUNTER, MS),
    ("node_disk_io_now", GAUGE, 1),
    ("node_disk_io_time_seconds_total", COUNTER, MS),
    ("node_disk_io_time_weighted_seconds_total", COUNTER, MS),
    ("node_disk_discards_completed_total", COUNTER, 1),
    ("node_disk_discards_merged_total", COUNTER, 1),
    ("node_disk_discarded_sectors_total", COUNTER, 1),
    ("node_disk_discard_time_seconds_total", COUNTER, MS),
    ("node_disk_flush_requests_total", COUNTER, 1),
    ("node_disk_flush_requests_time_seconds_total", COUNTER, MS),
)
ATA = (
    ("ID_ATA_WRITE_CACHE", "node_disk_ata_write_cache"),
    ("ID_ATA_WRITE_CACHE_ENABLED", "node_disk_ata_write_cache_enabled"),
    ("ID_ATA_ROTATION_RATE_RPM", "node_disk_ata_rotation_rate_rpm"),
)
Disk = tuple[str, str, str]
"""Major number, minor number, name."""


@lru_cache(maxsize=1024)
def is_excluded(device: str) -> bool:
    """Partitions of sda, vda, nvme0n1 and the like, and ram, loop and floppy devices."""
    stem = device.rstrip("0123456789")
    if stem == device:
        return False
    if stem in ("ram", "loop", "fd"):
        return True
    if len(stem) in (3, 4) and stem[:-1] in ("hd", "sd", "vd", "xvd") and stem[-1].islower():
        return True
    if stem.startswith("nvme") and stem.endswith("p"):
        controller, n, namespace = stem[4:-1].partition("n")
        return bool(n) and controller.isdigit() and namespace.isdigit()
    return False


def parse_diskstats(text: str) -> dict[Disk, list[int]]:
    """Counters by disk, in the order of COLUMNS; old kernels have fewer, newer ones may have more."""
    found: dict[Disk, list[int]] = {}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) < 3:
            raise unexpected(PATH, line, "major, minor and name of a device")
        major, minor, device = parts[:3]
        if is_excluded(device):
            continue
        try:
            found[major, minor, device] = [int(part) for part in parts[3:]]
        except ValueError:
            raise unexpected(PATH, line, "whole numbers after the name") from None
        if len(parts) < 14:
            raise unexpected(PATH, line, "at least 11 numbers after the name")
    return found


@lru_cache(maxsize=256)
def parse_udev(text: str) -> dict[str, str]:
    """Properties (lines ``E:NAME=value``) of one device."""
    pairs = (line[2:].partition("=") for line in text.splitlines() if line.startswith("E:"))
    return {name: value for name, _, value in pairs}


def collect(host: Host) -> Iterator[Sample]:
    disks = parse_diskstats(read_or_no_data(host, PATH))
    for (_, _, device), values in disks.items():
        where = labels("device", device)
        for (name, type_, unit), value in zip(COLUMNS, values, strict=False):
            yield Sample(name, type_, where, value * unit)
    files = host.read_tree(*(f"{UDEV}{major}:{minor}" for major, minor, _ in disks)) if disks else {}
    for disk in disks:
        major, minor, _ = disk
        yield from _facts(disk, parse_udev(files.get(f"{UDEV}{major}:{minor}", "")))


def _facts(disk: Disk, udev: dict[str, str]) -> Iterator[Sample]:
    device = disk[2]
    get = udev.get
    yield Sample("node_disk_info", GAUGE, _info_labels(disk, udev), 1)
    if not udev:
        return
    if filesystem := get("ID_FS_TYPE", ""):
        where = labels(
            *("device", device, "type", filesystem, "usage", get("ID_FS_USAGE", "")),
            *("uuid", get("ID_FS_UUID", ""), "version", get("ID_FS_VERSION", "")),
        )
        yield Sample("node_disk_filesystem_info", GAUGE, where, 1)
    if name := get("DM_NAME", ""):
        where = labels(
            *("device", device, "lv_layer", get("DM_LV_LAYER", ""), "lv_name", get("DM_LV_NAME", "")),
            *("name", name, "uuid", get("DM_UUID", ""), "vg_name", get("DM_VG_NAME", "")),
        )
        yield Sample("node_disk_device_mapper_info", GAUGE, where, 1)
    if get("ID_ATA"):
        for property_, metric in ATA:
            value = number(get(property_, ""))
            if value is not None:
                yield Sample(metric, GAUGE, labels("device", device), value)


def _info_labels(disk: Disk, udev: dict[str, str]) -> Labels:
    major, minor, device = disk
    get = udev.get
    serial = get("SCSI_IDENT_SERIAL") or get("ID_SERIAL_SHORT", "")
    return labels(
        *("device", device, "major", major, "minor", minor, "model", get("ID_MODEL", "")),
        *("path", get("ID_PATH", ""), "revision", get("ID_REVISION", "")),
        *("serial", serial, "wwn", get("ID_WWN", "")),
    )


CHECK = Check("diskstats", collect)
