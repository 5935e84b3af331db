"""Are the InfiniBand ports up, and what went through them?

/sys/class/infiniband/mlx5_0/ports/1 (Documentation/ABI/stable/sysfs-class-infiniband); data counters count words of
four bytes, a counter the hardware lacks says ``N/A (no PMA)``::

    state: 4: ACTIVE   phys_state: 5: LinkUp   rate: 40 Gb/sec (4X QDR)   counters/port_rcv_data: 6345726
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import labels
from agent.checks.reading import number, whole

FOLDER = "/sys/class/infiniband/"
COUNTERS = {
    "counters/excessive_buffer_overrun_errors": ("excessive_buffer_overrun_errors_total", 1),
    "counters/link_downed": ("link_downed_total", 1),
    "counters/link_error_recovery": ("link_error_recovery_total", 1),
    "counters/local_link_integrity_errors": ("local_link_integrity_errors_total", 1),
    "counters/multicast_rcv_packets": ("multicast_packets_received_total", 1),
    "counters/multicast_xmit_packets": ("multicast_packets_transmitted_total", 1),
    "counters/port_rcv_constraint_errors": ("port_constraint_errors_received_total", 1),
    "counters/port_rcv_data": ("port_data_received_bytes_total", 4),
    "counters/port_rcv_discards": ("port_discards_received_total", 1),
    "counters/port_rcv_errors": ("port_errors_received_total", 1),
    "counters/port_rcv_packets": ("port_packets_received_total", 1),
    "counters/port_rcv_remote_physical_errors": ("port_receive_remote_physical_errors_total", 1),
    "counters/port_rcv_switch_relay_errors": ("port_receive_switch_relay_errors_total", 1),
    "counters/port_xmit_constraint_errors": ("port_constraint_errors_transmitted_total", 1),
    "counters/port_xmit_data": ("port_data_transmitted_bytes_total", 4),
    "counters/port_xmit_discards": ("port_discards_transmitted_total", 1),
    "counters/port_xmit_packets": ("port_packets_transmitted_total", 1),
    "counters/port_xmit_wait": ("port_transmit_wait_total", 1),
    "counters/symbol_error": ("symbol_error_total", 1),
    "counters/unicast_rcv_packets": ("unicast_packets_received_total", 1),
    "counters/unicast_xmit_packets": ("unicast_packets_transmitted_total", 1),
    "counters/VL15_dropped": ("vl15_dropped_total", 1),
    "counters_ext/port_multicast_rcv_packets": ("legacy_multicast_packets_received_total", 1),
    "counters_ext/port_multicast_xmit_packets": ("legacy_multicast_packets_transmitted_total", 1),
    "counters_ext/port_rcv_data_64": ("legacy_data_received_bytes_total", 4),
    "counters_ext/port_rcv_packets_64": ("legacy_packets_received_total", 1),
    "counters_ext/port_unicast_rcv_packets": ("legacy_unicast_packets_received_total", 1),
    "counters_ext/port_unicast_xmit_packets": ("legacy_unicast_packets_transmitted_total", 1),
    "counters_ext/port_xmit_data_64": ("legacy_data_transmitted_bytes_total", 4),
    "counters_ext/port_xmit_packets_64": ("legacy_packets_transmitted_total", 1),
}
FACTS = ("board_id", "fw_ver", "hca_type")
PATTERNS = (
    *(f"{FOLDER}*/{file}" for file in FACTS),
    *(f"{FOLDER}*/ports/*/{file}" for file in ("state", "phys_state", "rate", "counters/*", "counters_ext/*")),
)
GIGABIT_BYTES = 125_000_000


def parse_port(device: str, port: str, files: dict[str, str]) -> Iterator[Sample]:
    where = labels("device", device, "port", port)
    for file, name in (("state", "state_id"), ("phys_state", "physical_state_id")):
        code = whole(files.get(file, "").partition(":")[0])
        if code is not None:
            yield Sample(f"node_infiniband_{name}", GAUGE, where, code)
    rate = number(files.get("rate", "").partition(" ")[0])
    if rate is not None:
        yield Sample("node_infiniband_rate_bytes_per_second", GAUGE, where, rate * GIGABIT_BYTES)
    for file, (name, unit) in COUNTERS.items():
        count = whole(files.get(file, ""))
        if count is not None:
            yield Sample(f"node_infiniband_{name}", COUNTER, where, count * unit)


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*PATTERNS)
    if not files:
        raise NoData("no InfiniBand adapter here")
    facts: dict[str, dict[str, str]] = {}
    ports: dict[tuple[str, str], dict[str, str]] = {}
    for path, text in files.items():
        match path.removeprefix(FOLDER).split("/", 3):
            case [device, "ports", port, file]:
                ports.setdefault((device, port), {})[file] = text
            case [device, file]:
                facts.setdefault(device, {})[file] = text.strip()
    for device, fact in facts.items():
        where = labels(
            *("board_id", fact.get("board_id", ""), "device", device),
            *("firmware_version", fact.get("fw_ver", ""), "hca_type", fact.get("hca_type", "")),
        )
        yield Sample("node_infiniband_info", GAUGE, where, 1)
    for (device, port), its_files in ports.items():
        yield from parse_port(device, port, its_files)


CHECK = Check("infiniband", collect)
