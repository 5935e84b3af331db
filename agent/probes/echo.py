"""ICMP echo requests and their replies on one socket.

A request is type 8 (128 for IPv6), code 0, checksum, identifier, sequence number, payload. A ping socket fills in
checksum and identifier itself and sees only its own replies; a raw one sees everybody's, with the IP header in front.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from typing import NamedTuple, Self

from agent.link.clock import Clock
from agent.probes.model import ProbeFailed
from agent.probes.reach import Found

HEADERS = {socket.AF_INET: 28, socket.AF_INET6: 48}
"""IP and ICMP header before the payload."""
ECHO = struct.Struct("!BBHHH")
REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
IP_RECVTTL, IP_TTL = 12, 2
IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT = 51, 52
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, IPV6_DONTFRAG, PMTUDISC_PROBE = 10, 23, 62, 3
"""Of <linux/in.h> and in6.h: the socket module does not name them. PROBE: whole packets, whatever was learnt before."""
MOST_BYTES = 65_535


class Reply(NamedTuple):
    seconds: float
    size_bytes: int
    hop_limit: int | None


class Echo:
    """``may_cut`` False: routers must not cut the packets on the way. Raises ProbeFailed where no socket can be had."""

    def __init__(self, found: Found, clock: Clock, *, may_cut: bool = True) -> None:
        self._found = found
        self._clock = clock
        self._is_raw = False
        self._number = 0
        self._socket = self._open()
        is_ip4 = found.family == socket.AF_INET
        if is_ip4:
            self._socket.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
        if not may_cut and is_ip4:
            self._socket.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)
        elif not may_cut:
            self._socket.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE)
            self._socket.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
        self._socket.setblocking(False)

    def _open(self) -> socket.socket:
        protocol = socket.IPPROTO_ICMP if self._found.family == socket.AF_INET else socket.IPPROTO_ICMPV6
        try:
            return socket.socket(self._found.family, socket.SOCK_DGRAM, protocol)
        except PermissionError:
            pass  # the usual case where nobody may ping without a capability
        try:
            self._is_raw = True
            return socket.socket(self._found.family, socket.SOCK_RAW, protocol)
        except PermissionError as why:
            raise ProbeFailed(
                "no right to ping: give this user's group in sysctl net.ipv4.ping_group_range, "
                "or the service AmbientCapabilities=CAP_NET_RAW"
            ) from why

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def round(self, count: int, size_bytes: int, spacing_seconds: float, ends_at: float) -> list[Reply]:
        """Send ``count`` packets of one size and wait for their replies until all are there or the time is over."""
        return list(self._exchange([size_bytes] * count, spacing_seconds, ends_at).values())

    def sizes(self, sizes_bytes: list[int], spacing_seconds: float, ends_at: float) -> list[int]:
        """Payload sizes that were answered."""
        return [reply.size_bytes for reply in self._exchange(sizes_bytes, spacing_seconds, ends_at).values()]

    def _exchange(self, sizes: list[int], spacing: float, ends_at: float) -> dict[int, Reply]:
        """Replies by sequence number. What the own interface refuses as too long counts as lost."""
        waiting: dict[int, float] = {}
        replies: dict[int, Reply] = {}
        token = os.urandom(8)
        to_send = list(enumerate(sizes, self._number + 1))
        self._number += len(sizes)
        next_at = self._clock.monotonic()
        while (now := self._clock.monotonic()) < ends_at and (to_send or waiting):
            if to_send and now >= next_at:
                number, size = to_send.pop(0)
                if self._send(number & 0xFFFF, token, size):
                    waiting[number & 0xFFFF] = now
                next_at = now + spacing
                continue
            until = min(next_at, ends_at) if to_send else ends_at
            if select.select([self._socket], [], [], max(0.0, until - now))[0]:
                self._receive(waiting, replies, token)
        return replies

    def _send(self, number: int, token: bytes, size: int) -> bool:
        kind = REQUEST[self._found.family]
        payload = (token + bytes(size))[:size]
        packet = ECHO.pack(kind, 0, 0, os.getpid() & 0xFFFF, number) + payload
        if self._is_raw and self._found.family == socket.AF_INET:
            packet = ECHO.pack(kind, 0, checksum(packet), os.getpid() & 0xFFFF, number) + payload
        try:
            self._socket.sendto(packet, self._found.scope)
        except OSError as why:
            if why.errno in (errno.EMSGSIZE, errno.ENOBUFS):
                return False
            raise ProbeFailed(f"no way to {self._found.address}: {why.strerror}") from why
        return True

    def _receive(self, waiting: dict[int, float], replies: dict[int, Reply], token: bytes) -> None:
        try:
            packet, told, _, _ = self._socket.recvmsg(MOST_BYTES, 256)
        except BlockingIOError:
            return
        except OSError as why:  # an answer of a router on the way
            raise ProbeFailed(f"no way to {self._found.address}: {why.strerror}") from why
        now = self._clock.monotonic()
        if self._is_raw and self._found.family == socket.AF_INET:
            packet = packet[(packet[0] & 0xF) * 4 :]
        if len(packet) < ECHO.size or packet[0] != REPLY[self._found.family]:
            return
        number: int = ECHO.unpack_from(packet)[4]
        payload = packet[ECHO.size :]
        if number in waiting and payload[: len(token)] == token[: len(payload)]:
            replies[number] = Reply(now - waiting.pop(number), len(payload), hop_limit(told))


def hop_limit(told: list[tuple[int, int, bytes]]) -> int | None:
    """From the ancillary data of ``recvmsg``."""
    for level, kind, value in told:
        if (level, kind) in ((socket.IPPROTO_IP, IP_TTL), (socket.IPPROTO_IPV6, IPV6_HOPLIMIT)):
            return int.from_bytes(value[:4], "little")
    return None


def checksum(packet: bytes) -> int:
    """RFC 1071: the one's complement of the one's complement sum of 16-bit words."""
    total: int = sum(struct.unpack(f"!{(len(packet) + 1) // 2}H", packet + b"\0" * (len(packet) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
