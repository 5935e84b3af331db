"""What is probed, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from agent.checks.base import CRITICAL, OK, Labels, Sample, gauge

MODULES = ("icmp", "path_mtu", "tcp", "http", "dns")


class Probe(NamedTuple):
    """One entry of ``[[probes]]``. ``interval_seconds`` 0 = with each report. ``options`` are the module's own."""

    name: str
    module: str
    target: str
    interval_seconds: float = 0.0
    timeout_seconds: float = 5.0
    ip_protocol: str = ""
    """"" = as the system prefers, else ip4 or ip6, and nothing else is tried."""
    options: Mapping[str, Any] = {}

    @property
    def labels(self) -> Labels:
        return ("target", self.target), ("module", self.module)


class Finding(NamedTuple):
    """``samples`` besides success and duration; ``state`` and ``text`` for people: what was seen, and what was wanted."""

    is_success: bool
    text: str
    samples: tuple[Sample, ...] = ()
    state: int | None = None
    """None: ok or critical, as the success says."""
    certificate: Certificate | None = None

    @property
    def severity(self) -> int:
        if self.state is not None:
            return self.state
        return OK if self.is_success else CRITICAL


class Certificate(NamedTuple):
    """Of the chain a server showed: the first end of all, and whose certificate it is. Seconds since the epoch."""

    earliest_end: float
    subject: str


class ProbeFailed(Exception):
    """What was asked did not answer as it should: the text is for people."""

    def __init__(self, text: str, samples: tuple[Sample, ...] = ()) -> None:
        super().__init__(text)
        self.samples = samples


def measured(probe: Probe, name: str, value: float, **labels: str) -> Sample:
    """A gauge of this probe."""
    return gauge(name, value, **dict(probe.labels), **labels)
