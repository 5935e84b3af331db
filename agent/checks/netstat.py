"""What did the network protocols count? The fields node_exporter keeps by default.

/proc/net/snmp and /proc/net/netstat, pairs of lines (RFC 1213 and the kernel's own additions)::

    Tcp: RtoAlgorithm RtoMin ... CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts
    Tcp: 1 200 ... 2 8170 4730 0 0 22

/proc/net/snmp6, one name per line::

    Ip6InOctets                     	128
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from agent.checks.base import UNTYPED, Check, Host, NoData, Sample
from agent.checks.labels import NONE
from agent.checks.reading import unexpected, words

TABLES = ("/proc/net/snmp", "/proc/net/netstat")
NAMES6 = "/proc/net/snmp6"
KEPT = frozenset(
    words(
        "Ip_Forwarding Ip6_InOctets Ip6_OutOctets IpExt_InOctets IpExt_OutOctets"
        " Icmp_InMsgs Icmp_OutMsgs Icmp6_InMsgs Icmp6_OutMsgs TcpExt_TCPSynRetrans TcpExt_TCPTimeouts"
        " Tcp_ActiveOpens Tcp_InSegs Tcp_OutSegs Tcp_OutRsts Tcp_PassiveOpens Tcp_RetransSegs Tcp_CurrEstab"
        " Udp_InDatagrams Udp_OutDatagrams Udp_NoPorts Udp_RcvbufErrors Udp_SndbufErrors"
        " Udp6_InDatagrams Udp6_OutDatagrams Udp6_NoPorts Udp6_RcvbufErrors Udp6_SndbufErrors"
    )
)


def is_kept(field: str) -> bool:
    return (
        field in KEPT
        or field.endswith(("_InErrors", "_InErrs"))
        or field.startswith(("TcpExt_Listen", "TcpExt_Syncookies"))
    )


@lru_cache(maxsize=64)
def _columns(titles: str) -> tuple[tuple[int, str], ...]:
    """Position and metric name of the fields worth keeping; titles stay the same until the kernel changes."""
    protocol, *fields = titles.split()
    prefix = protocol.removesuffix(":")
    return tuple(
        (index, f"node_netstat_{prefix}_{field}")
        for index, field in enumerate(fields, start=1)
        if is_kept(f"{prefix}_{field}")
    )


@lru_cache(maxsize=16)
def _positions6(names: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Place and metric name of the fields worth keeping, from all names of /proc/net/snmp6."""
    found = []
    for index, name in enumerate(names):
        protocol, six, field = name.partition("6")
        if six and is_kept(f"{protocol}6_{field}"):
            found.append((index, f"node_netstat_{protocol}6_{field}"))
    return tuple(found)


def parse_table(path: str, text: str) -> Iterator[Sample]:
    """Titles and values take turns; a missing or short line of values is a cut file."""
    lines = text.splitlines()
    for index in range(0, len(lines), 2):
        titles = lines[index]
        values = lines[index + 1].split() if index + 1 < len(lines) else []
        if not values or values[0] != titles.split(" ", 1)[0]:
            raise unexpected(path, titles, "a line of values after each line of titles")
        for position, name in _columns(titles):
            try:
                yield Sample(name, UNTYPED, NONE, int(values[position]))
            except (IndexError, ValueError):
                raise unexpected(path, lines[index + 1], "as many whole numbers as titles") from None


def parse_names(text: str) -> Iterator[Sample]:
    """Cut as one list of names and values in turn: ninety lines of which fifteen are kept."""
    parts = text.split()
    values = parts[1::2]
    for position, name in _positions6(tuple(parts[: len(values) * 2 : 2])):
        try:
            yield Sample(name, UNTYPED, NONE, int(values[position]))
        except ValueError:
            raise unexpected(NAMES6, f"… {values[position]}", "a whole number after each name") from None
    if len(parts) % 2:
        raise unexpected(NAMES6, parts[-1], "a whole number after each name")


def collect(host: Host) -> Iterator[Sample]:
    files = host.read_tree(*TABLES, NAMES6)
    if not files:
        raise NoData(f"{TABLES[0]} is not there")
    for path, text in files.items():
        yield from parse_names(text) if path == NAMES6 else parse_table(path, text)


CHECK = Check("netstat", collect)
