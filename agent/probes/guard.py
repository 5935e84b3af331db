"""Which addresses may be probed at all.

A probe makes this machine open connections where somebody else says, and not everybody who may write a probe should
reach everything this machine reaches. Never: addresses that mean "nobody" or "everybody", and the link-local ones
(behind one of them clouds hand out credentials). This machine itself only where the list says so. With a list, nothing
that is not on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

Address = IPv4Address | IPv6Address


class Allowed(NamedTuple):
    """Ports empty = all of them; a ping has none and needs only the network."""

    network: IPv4Network | IPv6Network
    ports: frozenset[int]


def read_allowed(text: str) -> Allowed:
    """``10.1.0.0/16``, ``10.1.0.7/32:80,443`` or ``[fd00::/8]:443``. Raises ValueError that says what was expected."""
    network, ports = text, ""
    if text.startswith("["):
        network, _, ports = text[1:].partition("]")
        ports = ports.removeprefix(":")
    elif text.count(":") == 1:
        network, _, ports = text.partition(":")
    try:
        numbers = frozenset(int(port) for port in ports.split(",")) if ports else frozenset[int]()
        if not all(0 < number < 65536 for number in numbers):
            raise ValueError("a port is a number from 1 to 65535")
        return Allowed(ip_network(network), numbers)
    except ValueError as why:
        raise ValueError(
            f"{text!r}: {why}: expected a network such as 10.1.0.0/16, 10.1.0.7/32:80,443 or [fd00::/8]:443"
        ) from why


class Guard:
    """``allowed`` empty: everything but what is never probed and this machine itself."""

    def __init__(self, allowed: Sequence[Allowed] = ()) -> None:
        self._allowed = tuple(allowed)

    def refusal(self, address: str, port: int | None) -> str:
        """Why this address may not be probed; empty where it may. ``port`` None: a ping."""
        found: Address = ip_address(address.partition("%")[0])
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        if found.is_unspecified or found.is_multicast or found.is_link_local or found == IPv4Address("255.255.255.255"):
            return f"{address} is never probed (unspecified, link-local or not one machine)"
        if any(found in one.network and _has(one, port) for one in self._allowed):
            return ""
        if found.is_loopback:
            return f"{address} is this machine: put it into [probe_guard] allow to probe it"
        if self._allowed:
            where = f"{address} port {port}" if port is not None else address
            return f"{where} is not on the list of [probe_guard] allow"
        return ""


def _has(one: Allowed, port: int | None) -> bool:
    return port is None or not one.ports or port in one.ports
