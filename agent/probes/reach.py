"""From a name to one address that may be probed, and to a connection with an end in time."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Timer
from typing import Any, NamedTuple, Self

from agent.checks.base import Sample
from agent.link.clock import Clock
from agent.probes.guard import Guard
from agent.probes.model import Probe, ProbeFailed, measured

FAMILIES = {"": socket.AF_UNSPEC, "ip4": socket.AF_INET, "ip6": socket.AF_INET6}


class Deadline(NamedTuple):
    """One for the whole probe, on the monotonic clock."""

    clock: Clock
    ends_at: float

    def left(self) -> float:
        """Seconds; raises ProbeFailed where nothing is left."""
        seconds = self.ends_at - self.clock.monotonic()
        if seconds <= 0:
            raise ProbeFailed("no whole answer in time")
        return seconds


class Found(NamedTuple):
    """An address that may be probed. ``samples`` tell how it was found."""

    family: socket.AddressFamily
    address: str
    scope: tuple[Any, ...]
    """What ``connect`` takes for this family."""
    seconds: float
    samples: tuple[Sample, ...]


def resolve(probe: Probe, host: str, port: int | None, guard: Guard, clock: Clock) -> Found:
    """The first address of a name, connected to as an address from here on, so that a second answer of the name server
    cannot lead elsewhere. Raises ProbeFailed."""
    started = clock.monotonic()
    try:
        entries = socket.getaddrinfo(host, port or 0, FAMILIES[probe.ip_protocol], socket.SOCK_STREAM)
    except (OSError, UnicodeError) as why:
        raise ProbeFailed(f"name {host} was not found: {getattr(why, 'strerror', None) or why}") from why
    seconds = clock.monotonic() - started
    family, _, _, _, address = entries[0]
    refusal = guard.refusal(str(address[0]), port)
    if refusal:
        raise ProbeFailed(refusal)
    samples = (
        measured(probe, "probe_dns_lookup_time_seconds", seconds),
        measured(probe, "probe_ip_protocol", 6 if family == socket.AF_INET6 else 4),
    )
    return Found(family, str(address[0]), address, seconds, samples)


class Line:
    """A TCP connection that is torn down at the deadline, whatever waits on it then: a server that sends a byte now and
    then would outlive any timeout of a single read. A context manager; raises ProbeFailed where nobody answers."""

    def __init__(self, found: Found, deadline: Deadline) -> None:
        self.deadline = deadline
        self.seconds = 0.0
        """How long connecting took."""
        self.socket = socket.socket(found.family, socket.SOCK_STREAM)
        """Replaced by ``agent.probes.tls.secure``."""
        self._found = found
        self._end = Timer(deadline.left(), self._tear)
        self._end.daemon = True

    def __enter__(self) -> Self:
        started = self.deadline.clock.monotonic()
        try:
            self.socket.settimeout(self.deadline.left())
            self.socket.connect(self._found.scope)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as why:
            self.socket.close()
            raise ProbeFailed(f"no connection to {self._found.address}: {why.strerror or why}") from why
        self.seconds = self.deadline.clock.monotonic() - started
        self._end.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.cancel()
        self.socket.close()

    def _tear(self) -> None:
        with suppress(OSError):  # closed already: nobody waits
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # the plain one: TLS would forget what it is reading


def host_and_port(target: str, default: int | None = None) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port``. Raises ValueError that says what was expected."""
    host, colon, port = target.rpartition(":")
    if not colon or ("]" not in host and ":" in host):  # a bare IPv6 address has colons of its own
        host, port = target, ""
    host = host.strip("[]")
    if not port and default is not None:
        return host, default
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{target!r}: expected host:port, such as db1:5432 or [fd00::7]:443")
    return host, int(port)
