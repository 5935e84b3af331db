"""How do ZFS' caches and pools do? /proc/spl/kstat/zfs: tables of the module, and a folder for each pool::

6 1 0x01 91 4368 7215787153 134194045572438
name                            type data
hits                            4    12018478

tank/state: ONLINE      tank/io: titles (nread nwritten …) and a line of numbers      tank/objset-0x36: a table
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, UNTYPED, Check, Host, NoData, Sample
from agent.checks.labels import NONE, labels
from agent.checks.reading import unexpected, whole

FOLDER = "/proc/spl/kstat/zfs/"
TABLES = {
    "abdstats": "zfs_abd",
    "arcstats": "zfs_arc",
    "dbufstats": "zfs_dbuf",
    "dmu_tx": "zfs_dmu_tx",
    "dnodestats": "zfs_dnode",
    "fm": "zfs_fm",
    "vdev_cache_stats": "zfs_vdev_cache",
    "vdev_mirror_stats": "zfs_vdev_mirror",
    "xuio_stats": "zfs_xuio",
    "zfetchstats": "zfs_zfetch",
    "zil": "zfs_zil",
}
STATES = ("degraded", "faulted", "offline", "online", "removed", "suspended", "unavail")
WHOLE_TYPES = ("3", "4")
"""KSTAT_DATA_INT64 and KSTAT_DATA_UINT64."""


def parse_table(path: str, text: str) -> Iterator[tuple[str, str, str]]:
    """(name, type, data) of the rows after the title line."""
    _, title, rows = text.partition("data\n")
    if not title:
        raise unexpected(path, text[:60], "a title line 'name type data'")
    for line in rows.splitlines():
        parts = line.split(None, 2)
        if len(parts) == 3:
            yield parts[0], parts[1], parts[2].strip()


def parse_pool(pool: str, file: str, path: str, text: str) -> Iterator[Sample]:
    if file == "state":
        state = text.strip().lower()
        for name in STATES:
            where = labels("state", name, "zpool", pool)
            yield Sample("node_zfs_zpool_state", GAUGE, where, 1 if state == name else 0)
    elif file == "io":
        lines = [line.split() for line in text.splitlines()]
        titles = next((index for index, line in enumerate(lines) if line[:1] == ["nread"]), len(lines))
        for name, value in zip(*lines[titles : titles + 2], strict=False):
            yield Sample(f"node_zfs_zpool_{name}", UNTYPED, labels("zpool", pool), int(value))
    else:
        dataset = ""
        for name, type_, data in parse_table(path, text):
            if name == "dataset_name":
                dataset = data
            elif type_ == "4":
                where = labels("dataset", dataset, "zpool", pool)
                yield Sample(f"node_zfs_zpool_dataset_{name.replace('-', '_')}", UNTYPED, where, int(data))


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(
        *(FOLDER + name for name in TABLES), *(f"{FOLDER}*/{file}" for file in ("state", "io", "objset-*"))
    )
    if not files:
        raise NoData("the ZFS module is not loaded")
    for path, text in files.items():
        pool, _, file = path.removeprefix(FOLDER).rpartition("/")
        if pool:
            yield from parse_pool(pool, file, path, text)
            continue
        for name, type_, data in parse_table(path, text):
            value = whole(data)
            if type_ in WHOLE_TYPES and value is not None:
                yield Sample(f"node_{TABLES[file]}_{name.replace('-', '_')}", UNTYPED, NONE, value)


CHECK = Check("zfs", collect)
