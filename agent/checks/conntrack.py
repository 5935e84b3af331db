"""How full is the table of tracked connections, and what was dropped for it?

/proc/sys/net/netfilter/nf_conntrack_count and …_max hold a number each; /proc/net/stat/nf_conntrack has titles and a
hexadecimal line per processor::

    entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error ...
    0000001c  00000000 00000004 00000000 00004f02 00000000 00000000 00000000 00000000 00000000 00000000 00000000 ...
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import NONE
from agent.checks.reading import unexpected, whole

COUNT = "/proc/sys/net/netfilter/nf_conntrack_count"
LIMIT = "/proc/sys/net/netfilter/nf_conntrack_max"
STATISTICS = "/proc/net/stat/nf_conntrack"
FIELDS = ("found", "invalid", "ignore", "insert", "insert_failed", "drop", "early_drop", "search_restart")


def parse_statistics(text: str) -> dict[str, int]:
    """Sums over all processors by title."""
    titles, *lines = text.splitlines() or [""]
    names = titles.split()
    sums = dict.fromkeys(names, 0)
    for line in lines:
        try:
            for name, value in zip(names, line.split(), strict=True):
                sums[name] += int(value, 16)
        except ValueError:
            raise unexpected(STATISTICS, line, "a hexadecimal number for each title") from None
    return sums


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(COUNT, LIMIT, STATISTICS)
    for path, name in ((COUNT, "node_nf_conntrack_entries"), (LIMIT, "node_nf_conntrack_entries_limit")):
        value = whole(files.get(path, ""))
        if value is None:
            raise NoData("connection tracking is not loaded")
        yield Sample(name, GAUGE, NONE, value)
    sums = parse_statistics(files.get(STATISTICS, ""))
    for field in FIELDS:
        if field in sums:
            yield Sample(f"node_nf_conntrack_stat_{field}", GAUGE, NONE, sums[field])


CHECK = Check("conntrack", collect)
