"""What is concluded at one instant. Frozen; replaced as a whole on every tick; shared by all readers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

OK, MAINTENANCE, NO_DATA, DEGRADED, DOWN = 0, 1, 2, 3, 4
STATES = ("ok", "maintenance", "no_data", "degraded", "down")
"""By code; the largest is the worst."""

REPORTING = "reporting"
CHECKS_FAILING = "checks_failing"
HOSTS_SILENT = "hosts_silent"
HOSTS_NEVER_REPORTED = "hosts_never_reported"
AGENTS_SILENT = "agents_silent"
SILENT = "silent"
LATE = "late"
NEVER_REPORTED = "never_reported"
SUSPENDED = "suspended"
REVOKED = "revoked"
NO_HOSTS = "no_hosts"
STARTING = "collector_starting"
REASONS = (
    REPORTING,
    CHECKS_FAILING,
    HOSTS_SILENT,
    HOSTS_NEVER_REPORTED,
    AGENTS_SILENT,
    SILENT,
    LATE,
    NEVER_REPORTED,
    SUSPENDED,
    REVOKED,
    NO_HOSTS,
    STARTING,
)
"""Why something stands as it does: a closed set, for words in two languages and for metrics."""


class FailingCheck(NamedTuple):
    """A check that is not ok: ``state`` 1 warning, 2 critical, 3 unknown. Unknown alone degrades nothing."""

    host: str
    check: str
    state: int
    text: str
    since_ms: int


class AgentStanding(NamedTuple):
    """``state`` is OK while its reports are current, else NO_DATA."""

    state: int
    since_ms: int
    reason: str
    last_report_ms: int | None

    @property
    def is_current(self) -> bool:
        return self.state == OK


class HostStanding(NamedTuple):
    state: int
    since_ms: int
    reason: str
    last_report_ms: int | None
    """Receive time of its newest report."""
    failing: tuple[FailingCheck, ...] = ()
    """Checks that are not ok, worst first; as last reported where the host is silent now."""


class SiteStanding(NamedTuple):
    state: int
    since_ms: int
    reason: str
    last_report_ms: int | None
    hosts: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    """How many of its hosts are in each state, by code."""
    agents_current: int = 0
    agents: int = 0
    """Agents that are neither suspended nor revoked."""
    failing: tuple[FailingCheck, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything concluded at ``at_ms``. Each site, host and agent of the registry is in it."""

    at_ms: int = 0
    fleet_version: int = -1
    sites: Mapping[str, SiteStanding] = field(default_factory=dict)
    hosts: Mapping[str, HostStanding] = field(default_factory=dict)
    agents: Mapping[bytes, AgentStanding] = field(default_factory=dict)
    eligible_seconds: Mapping[str, float] = field(default_factory=dict)
    """By site: seconds since the collector's start during which it was watched."""
    downtime_seconds: Mapping[str, float] = field(default_factory=dict)
    """By site: seconds of those it was down. Only a confirmed "down" counts; silence never does."""


class Change(NamedTuple):
    """Something went from one state to another; ``before`` is None where it was not known."""

    kind: str
    """``site``, ``host`` or ``agent``."""
    id: str
    """Site id, host id, or the agent's id in hexadecimal."""
    before: int | None
    after: int
    at_ms: int
    reason: str


class Recorded(NamedTuple):
    """What stands in the rows about one thing."""

    state: int
    since_ms: int
    reason: str
