"""How many sockets are in use, and how much memory do they hold?

/proc/net/sockstat and /proc/net/sockstat6; ``mem`` counts pages::

    sockets: used 21
    TCP: inuse 4 orphan 0 tw 0 alloc 4 mem 246
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.kernel import kernel_of
from agent.checks.labels import NONE
from agent.checks.reading import unexpected

PATHS = ("/proc/net/sockstat", "/proc/net/sockstat6")
USUAL_PAGE_BYTES = 4096


def parse_sockstat(path: str, text: str, page_bytes: int) -> Iterator[Sample]:
    for line in text.splitlines():
        protocol, colon, rest = line.partition(": ")
        parts = rest.split()
        if not colon or len(parts) % 2:
            raise unexpected(path, line, "a protocol, a colon and pairs of name and number")
        for key, value in zip(parts[::2], parts[1::2], strict=True):
            try:
                count = int(value)
            except ValueError:
                raise unexpected(path, line, "a whole number after each name") from None
            yield Sample(f"node_sockstat_{protocol}_{key}", GAUGE, NONE, count)
            if key == "mem":
                yield Sample(f"node_sockstat_{protocol}_mem_bytes", GAUGE, NONE, count * page_bytes)


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATHS)
    if not files:
        raise NoData(f"{PATHS[0]} is not there")
    kernel = kernel_of(host)
    page_bytes = kernel.page_bytes() if kernel is not None else USUAL_PAGE_BYTES
    for path, text in files.items():
        yield from parse_sockstat(path, text, page_bytes)


CHECK = Check("sockstat", collect)
