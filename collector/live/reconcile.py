"""Two lists that should be empty: what is registered and nobody watches, and what is watched and nobody registered.

The monitor and the inventory must not count differently: both lists are made from the same registry and the same reports.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Protocol

from collector.fleet.registry import Fleet, HostEntry

ENROLMENT = "enrolment"


class Reporting(Protocol):
    @property
    def hosts(self) -> Container[str]:
        """Hosts with a newest report."""
        ...


class Judged(Protocol):
    @property
    def last_report_ms(self) -> int | None: ...


def unmonitored(fleet: Fleet, live: Reporting, judged: Mapping[str, Judged]) -> list[HostEntry]:
    """Registered, but not monitored: no agent speaks for it, or none ever brought a report. ``judged``: hosts' verdicts,
    which know of reports from before a start."""
    return [
        host
        for host in fleet.hosts.values()
        if host.agent_id is None
        or (host.id not in live.hosts and ((known := judged.get(host.id)) is None or known.last_report_ms is None))
    ]


def unregistered(fleet: Fleet, live: Reporting) -> list[HostEntry]:
    """Monitored, but not registered: it reports, and neither the topology file nor a list names it."""
    return [host for host in fleet.hosts.values() if host.managed_by == ENROLMENT and host.id in live.hosts]
