"""Are the Fibre Channel ports on line, and do they see errors? /sys/class/fc_host/host0, counters hexadecimal::

speed: 16 Gbit   port_state: Online   statistics/rx_frames: 0x3   statistics/nos_count: 0xffffffffffffffff
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import whole, words

FOLDER = "/sys/class/fc_host/"
NOT_COUNTED = (1 << 64) - 1
"""What firmware says for a counter it does not keep."""
COUNTERS = {
    "dumped_frames": "dumped_frames_total",
    "error_frames": "error_frames_total",
    "fcp_packet_aborts": "fcp_packet_aborts_total",
    "invalid_crc_count": "invalid_crc_total",
    "invalid_tx_word_count": "invalid_tx_words_total",
    "link_failure_count": "link_failure_total",
    "loss_of_signal_count": "loss_of_signal_total",
    "loss_of_sync_count": "loss_of_sync_total",
    "nos_count": "nos_total",
    "rx_frames": "rx_frames_total",
    "rx_words": "rx_words_total",
    "seconds_since_last_reset": "seconds_since_last_reset_total",
    "tx_frames": "tx_frames_total",
    "tx_words": "tx_words_total",
}
FACTS = words(
    "dev_loss_tmo fabric_name port_id port_name port_state port_type speed supported_classes supported_speeds"
    " symbolic_name"
)
PATTERNS = (
    *(f"{FOLDER}*/{file}" for file in FACTS),
    *(f"{FOLDER}*/statistics/{file}" for file in COUNTERS),
)
IDENTIFIERS = ("fabric_name", "port_id", "port_name")
"""Written as 0x…, shown without it."""


def collect(host: Host) -> Iterator[Sample]:
    ports: dict[str, dict[str, str]] = {}
    for path, text in host.read_tree(*PATTERNS).items():
        port, _, file = path.removeprefix(FOLDER).partition("/")
        ports.setdefault(port, {})[file] = text.strip()
    if not ports:
        raise NoData("no Fibre Channel port here")
    for port, files in ports.items():
        facts = {name: files.get(name, "") for name in FACTS}
        for name in IDENTIFIERS:
            facts[name] = facts[name].removeprefix("0x")
        pairs = [part for name in sorted(("fc_host", *FACTS)) for part in (name, facts.get(name, port))]
        yield Sample("node_fibrechannel_info", GAUGE, labels(*pairs), 1)
        where = labels("fc_host", port)
        for file, name in COUNTERS.items():
            count = whole(files.get(f"statistics/{file}", ""), 0)
            if count is not None and count != NOT_COUNTED:
                yield Sample(f"node_fibrechannel_{name}", COUNTER, where, count)


CHECK = Check("fibrechannel", collect)
