"""How full is each mounted filesystem?

/proc/1/mounts (the agent itself may live in a mount namespace of its own), else /proc/self/mounts::

    /dev/mapper/vg-root / ext4 rw,relatime,discard 0 0
    192.0.2.7:/export /srv/my\\040share nfs4 ro,relatime 0 0

What is shown follows node_exporter's default: no pseudo filesystems, nothing below the folders of container run-times.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from agent.checks.base import GAUGE, Check, Host, Sample
from agent.checks.labels import labels
from agent.checks.reading import read_or_no_data, unexpected, words

EXCLUDED_TYPES = frozenset(
    words(
        "autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs fusectl hugetlbfs iso9660 mqueue nsfs"
        " overlay proc procfs pstore rpc_pipefs securityfs selinuxfs squashfs sysfs tracefs"
    )
)
EXCLUDED_TREES = ("/dev/", "/proc/", "/sys/")
EXCLUDED_BELOW = ("/run/credentials/", "/var/lib/docker/", "/var/lib/containers/storage/")
_ESCAPES = (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\"))


class Mount(NamedTuple):
    device: str
    mount_point: str
    type: str
    is_read_only: bool


def parse_mounts(text: str) -> list[Mount]:
    """Mounts worth watching, each (device, mount point, type) once."""
    found: dict[tuple[str, str, str], Mount] = {}
    for line in text.splitlines():
        parts = line.split(" ")
        if len(parts) < 4:
            raise unexpected("/proc/mounts", line, "device, mount point, type and options")
        device, mount_point, type_, options = parts[:4]
        if type_ in EXCLUDED_TYPES:
            continue
        if "\\" in line:
            mount_point = _unescape(mount_point)
            device = _unescape(device)
        if is_excluded(mount_point):
            continue
        found.setdefault((device, mount_point, type_), Mount(device, mount_point, type_, "ro" in options.split(",")))
    return list(found.values())


def _unescape(text: str) -> str:
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    return text


def is_excluded(mount_point: str) -> bool:
    """The trees themselves and all below them; for the others only what is below, so that /var/lib/docker may be a disk."""
    if (mount_point + "/").startswith(EXCLUDED_TREES):
        return True
    return any(mount_point.startswith(tree) and len(mount_point) > len(tree) for tree in EXCLUDED_BELOW)


def collect(host: Host) -> Iterator[Sample]:
    try:
        text = host.read("/proc/1/mounts")
    except OSError:  # not root: another process' mounts are its own business
        text = read_or_no_data(host, "/proc/self/mounts")
    mounts = parse_mounts(text)
    spaces = host.filesystems(tuple(dict.fromkeys(mount.mount_point for mount in mounts)))
    for mount in mounts:
        where = labels("device", mount.device, "fstype", mount.type, "mountpoint", mount.mount_point)
        space = spaces.get(mount.mount_point)
        yield Sample("node_filesystem_device_error", GAUGE, where, 1 if space is None else 0)
        if space is None:
            continue
        yield Sample("node_filesystem_size_bytes", GAUGE, where, space.size_bytes)
        yield Sample("node_filesystem_free_bytes", GAUGE, where, space.free_bytes)
        yield Sample("node_filesystem_avail_bytes", GAUGE, where, space.avail_bytes)
        yield Sample("node_filesystem_files", GAUGE, where, space.files)
        yield Sample("node_filesystem_files_free", GAUGE, where, space.files_free)
        yield Sample("node_filesystem_readonly", GAUGE, where, 1 if mount.is_read_only else 0)


CHECK = Check("filesystem", collect)
