"""What does the load balancer in the kernel pass on, and to whom?

/proc/net/ip_vs_stats, hexadecimal; the third line counts since the start::

       Total Incoming Outgoing         Incoming         Outgoing
       Conns  Packets  Packets            Bytes            Bytes
    1F04B12 A1120C3F        0     2B1077A1C05E                0

/proc/net/ip_vs, addresses hexadecimal::

    TCP  C000020A:0CEA wlc
      -> C6336414:0CEA      Tunnel  100    248        2
    FWM  13701370 wlc
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.checks.base import COUNTER, GAUGE, Check, Host, NoData, Sample
from agent.checks.labels import NONE, labels
from agent.checks.reading import unexpected

STATISTICS, TABLE = "/proc/net/ip_vs_stats", "/proc/net/ip_vs"
TOTALS = ("connections", "incoming_packets", "outgoing_packets", "incoming_bytes", "outgoing_bytes")
BACKEND = ("backend_weight", "backend_connections_active", "backend_connections_inactive")
Backend = tuple[str, str, str, str, str, str]
"""Local address, local port, firewall mark, protocol, remote address, remote port."""


def parse_totals(text: str) -> list[int]:
    lines = text.splitlines()
    try:
        values = [int(part, 16) for part in lines[2].split()]
    except (IndexError, ValueError):
        values = []
    if len(values) != len(TOTALS):
        raise unexpected(STATISTICS, text[:60], "five hexadecimal numbers in the third line")
    return values


def parse_address(text: str) -> tuple[str, str]:
    """``C000020A:0CEA`` -> ("192.0.2.10", "3306"); IPv6 stands in brackets."""
    address, _, port = text.rpartition(":")
    if address.startswith("["):
        import ipaddress

        return str(ipaddress.ip_address(address.strip("[]"))), str(int(port, 16))
    return ".".join(str(part) for part in bytes.fromhex(address)), str(int(port, 16))


def parse_backends(text: str) -> dict[Backend, list[int]]:
    """Weight, active and inactive connections by backend; what is listed twice is added up."""
    found: dict[Backend, list[int]] = {}
    service = ("", "", "", "")
    for line in text.splitlines()[3:]:
        parts = line.split()
        try:
            if parts[0] in ("TCP", "UDP", "SCTP"):
                service = (*parse_address(parts[1]), "", parts[0])
            elif parts[0] == "FWM":
                service = ("", "0", parts[1], "FWM")
            elif parts[0] == "->":
                key = (*service, *parse_address(parts[1]))
                values = [int(part) for part in parts[3:6]]
                known = found.setdefault(key, [0, 0, 0])
                found[key] = [one + other for one, other in zip(known, values, strict=True)]
        except (IndexError, ValueError):
            raise unexpected(TABLE, line, "a service, or an arrow and a backend") from None
    return found


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(STATISTICS, TABLE)
    if STATISTICS not in files:
        raise NoData("IPVS is not loaded")
    for name, value in zip(TOTALS, parse_totals(files[STATISTICS]), strict=True):
        yield Sample(f"node_ipvs_{name}_total", COUNTER, NONE, value)
    for backend, values in parse_backends(files.get(TABLE, "")).items():
        local_address, local_port, mark, protocol, remote_address, remote_port = backend
        where = labels(
            *("local_address", local_address, "local_mark", mark, "local_port", local_port, "proto", protocol),
            *("remote_address", remote_address, "remote_port", remote_port),
        )
        for name, value in zip(BACKEND, values, strict=True):
            yield Sample(f"node_ipvs_{name}", GAUGE, where, value)


CHECK = Check("ipvs", collect)
