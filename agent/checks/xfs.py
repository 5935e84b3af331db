"""What did each XFS filesystem do? /sys/fs/xfs/sda1/stats/stats, a group per line (the kernel's xfs_stats.c)::

extent_alloc 1 2 3 4
rw 28 0
vnodes 4 0 0 0 1 1 1 0
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import unexpected

PATTERN = "/sys/fs/xfs/*/stats/stats"
_BTREE = "lookups compares records_inserted records_deleted"
GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(f"node_xfs_{prefix}_{field}_total" for field in fields.split())
    for group, prefix, fields in (
        ("extent_alloc", "extent_allocation", "extents_allocated blocks_allocated extents_freed blocks_freed"),
        ("abt", "allocation_btree", _BTREE),
        (
            "blk_map",
            "block_mapping",
            "reads writes unmaps extent_list_insertions extent_list_deletions extent_list_lookups extent_list_compares",
        ),
        ("bmbt", "block_map_btree", _BTREE),
        ("dir", "directory_operation", "lookup create remove getdents"),
        ("rw", "", ""),
        ("vnodes", "vnode", "active allocate get hold release reclaim remove"),
    )
}
GROUPS["rw"] = ("node_xfs_write_calls_total", "node_xfs_read_calls_total")


def parse_statistics(path: str, text: str) -> Iterator[tuple[str, int]]:
    """(metric, count) of the groups we know; the file has many more for the developers of XFS."""
    for line in text.splitlines():
        group, *parts = line.split()
        names = GROUPS.get(group)
        if names is None:
            continue
        try:
            yield from zip(names, (int(part) for part in parts[: len(names)]), strict=True)
        except ValueError:
            raise unexpected(path, line, f"{len(names)} whole numbers after {group}") from None


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(PATTERN)
    files.pop("/sys/fs/xfs/stats/stats/stats", None)
    if not files:
        raise NoData("no XFS filesystem is mounted")
    for path, text in files.items():
        where = labels("device", path.split("/")[4])
        for name, count in parse_statistics(path, text):
            yield Sample(name, COUNTER, where, count)


CHECK = Check("xfs", collect)
