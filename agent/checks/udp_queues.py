"""How many bytes wait in UDP sockets? /proc/net/udp and udp6, hexadecimal tx_queue:rx_queue in the fifth column::

 sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
401: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1403 2 ffff... 0
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import unexpected

PATHS = {"/proc/net/udp": "v4", "/proc/net/udp6": "v6"}


def parse_queues(path: str, text: str) -> tuple[int, int]:
    """Bytes waiting to be sent, and to be read, over all sockets."""
    sending = receiving = 0
    for line in text.splitlines()[1:]:
        try:
            tx, _, rx = line.split(None, 5)[4].partition(":")
            sending += int(tx, 16)
            receiving += int(rx, 16)
        except (IndexError, ValueError):
            raise unexpected(path, line, "tx_queue:rx_queue in the fifth column") from None
    return sending, receiving


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATHS)
    if not files:
        raise NoData("no UDP here")
    for path, text in files.items():
        sending, receiving = parse_queues(path, text)
        ip = PATHS[path]
        yield Sample("node_udp_queues", GAUGE, labels("ip", ip, "queue", "tx"), sending)
        yield Sample("node_udp_queues", GAUGE, labels("ip", ip, "queue", "rx"), receiving)


CHECK = Check("udp_queues", collect)
