"""How well does each bcache cache the disks behind it? /sys/fs/bcache/<set uuid>, sizes such as ``7.2M``::

average_key_size: 12.0k   congested: 0   tree_depth: 1   internal/btree_nodes: 0
bdev0/dirty_data: 1.5G    bdev0/stats_total/cache_hits: 546   cache0/io_errors: 0   cache0/written: 512k
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import number

FOLDER = "/sys/fs/bcache/"
SET = {
    "average_key_size": ("average_key_size_sectors", GAUGE, 1.0),
    "btree_cache_size": ("btree_cache_size_bytes", GAUGE, 1.0),
    "cache_available_percent": ("cache_available_percent", GAUGE, 1.0),
    "congested": ("congested", GAUGE, 1.0),
    "root_usage_percent": ("root_usage_percent", GAUGE, 1.0),
    "tree_depth": ("tree_depth", GAUGE, 1.0),
    "internal/active_journal_entries": ("active_journal_entries", GAUGE, 1.0),
    "internal/btree_nodes": ("btree_nodes", GAUGE, 1.0),
    "internal/btree_read_average_duration_us": ("btree_read_average_duration_seconds", GAUGE, 1e-9),
    "internal/cache_read_races": ("cache_read_races_total", COUNTER, 1.0),
}
"""The factor of the read duration is node_exporter's, which takes the microseconds of the file for nanoseconds."""
BACKING = {
    "dirty_data": ("dirty_data_bytes", GAUGE, 1.0),
    "stats_total/bypassed": ("bypassed_bytes_total", COUNTER, 1.0),
    "stats_total/cache_bypass_hits": ("cache_bypass_hits_total", COUNTER, 1.0),
    "stats_total/cache_bypass_misses": ("cache_bypass_misses_total", COUNTER, 1.0),
    "stats_total/cache_hits": ("cache_hits_total", COUNTER, 1.0),
    "stats_total/cache_miss_collisions": ("cache_miss_collisions_total", COUNTER, 1.0),
    "stats_total/cache_misses": ("cache_misses_total", COUNTER, 1.0),
    "stats_total/cache_readaheads": ("cache_readaheads_total", COUNTER, 1.0),
}
CACHE = {
    "io_errors": ("io_errors", GAUGE, 1.0),
    "metadata_written": ("metadata_written_bytes_total", COUNTER, 1.0),
    "written": ("written_bytes_total", COUNTER, 1.0),
}
PATTERNS = (
    *(f"{FOLDER}*-*/{file}" for file in SET),
    *(f"{FOLDER}*-*/bdev*/{file}" for file in BACKING),
    *(f"{FOLDER}*-*/cache[0-9]*/{file}" for file in CACHE),
)
UNITS = {"k": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}


def parse_size(text: str) -> float | None:
    """``7.2M`` -> 7549747.2; a plain number is itself."""
    text = text.strip()
    unit = UNITS.get(text[-1:])
    value = number(text if unit is None else text[:-1])
    return None if value is None else value * (unit or 1)


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATTERNS)
    if not files:
        raise NoData("no bcache is set up here")
    for path, text in files.items():
        uuid, _, file = path.removeprefix(FOLDER).partition("/")
        device, _, rest = file.partition("/")
        if file in SET:
            row, where = SET[file], labels("uuid", uuid)
        elif device.startswith("bdev"):
            row, where = BACKING[rest], labels("backing_device", device, "uuid", uuid)
        else:
            row, where = CACHE[rest], labels("cache_device", device, "uuid", uuid)
        value = parse_size(text)
        if value is not None:
            name, type_, factor = row
            yield Sample(f"node_bcache_{name}", type_, where, value * factor)


CHECK = Check("bcache", collect)
