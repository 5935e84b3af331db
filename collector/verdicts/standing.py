"""What is concluded at one instant. Frozen; replaced as a whole on every tick; shared by all readers.

Every standing begins ``state, since_ms, reason`` and says in ``cause`` what it lies behind (``hub:mea``, ``cable:sea-3``,
``site:abuja``), empty where it is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

OK, MAINTENANCE, NO_DATA, DEGRADED, DOWN = 0, 1, 2, 3, 4
STATES = ("ok", "maintenance", "no_data", "degraded", "down")
"""By code; the largest is the worst."""


class Fact(NamedTuple):
    """A piece of evidence: ``code`` of ``reasons.FACTS``; ``subject`` whom it is about, ``value`` what was seen."""

    code: str
    subject: str = ""
    value: str = ""
    at_ms: int | None = None


class FailingCheck(NamedTuple):
    """A check that is not ok: ``state`` 1 warning, 2 critical, 3 unknown. Unknown alone degrades nothing."""

    host: str
    check: str
    state: int
    text: str
    since_ms: int


class AgentStanding(NamedTuple):
    """``state`` is OK while its reports are current, DOWN where its host answers and it does not, else NO_DATA."""

    state: int
    since_ms: int
    reason: str
    last_report_ms: int | None
    cause: str = ""
    evidence: tuple[Fact, ...] = ()

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
    cause: str = ""
    evidence: tuple[Fact, ...] = ()


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
    cause: str = ""
    evidence: tuple[Fact, ...] = ()


class PlaceStanding(NamedTuple):
    """A link, hub, system or interface."""

    state: int
    since_ms: int
    reason: str
    cause: str = ""
    evidence: tuple[Fact, ...] = ()


class Cause(NamedTuple):
    """One disturbance: what is at fault, and everything that is as it is because of it."""

    id: str
    """``KIND:ID``; kinds are those of changes, and ``carrier``, ``cable``, ``facility``, ``device``, ``collector``."""
    state: int
    since_ms: int
    """When it began, as far as anyone can tell: the last report of what it silenced first."""
    reason: str
    evidence: tuple[Fact, ...]
    affected: tuple[tuple[str, str], ...]
    """(kind, id) of what stands as it does because of it, itself left out."""
    due_ms: int | None
    """From when on somebody may be told; None while a parent is not judged yet, or it flaps."""
    hold_ms: int = 0
    """How long it has to stay before anybody is told, or is told that it is graver than before."""


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
    hubs: Mapping[str, PlaceStanding] = field(default_factory=dict)
    links: Mapping[str, PlaceStanding] = field(default_factory=dict)
    systems: Mapping[str, PlaceStanding] = field(default_factory=dict)
    interfaces: Mapping[str, PlaceStanding] = field(default_factory=dict)
    causes: Mapping[str, Cause] = field(default_factory=dict)
    maintained_sites: frozenset[str] = frozenset()
    """Sites inside an agreed window now."""
    system_eligible_seconds: Mapping[str, float] = field(default_factory=dict)
    system_downtime_seconds: Mapping[str, float] = field(default_factory=dict)
    judged_from_ms: int = 0
    """Until then nothing can be told of most things, for this collector has just started. Of hosts that report more seldom
    than their site's profile says nothing can be told for a while longer."""
    started_at_ms: int = 0
    """What was reported before that is remembered; it may be over by now."""


class Change(NamedTuple):
    """Something went from one state to another, or lies behind something else now; ``before`` None = not known."""

    kind: str
    """``site``, ``host``, ``agent``, ``link``, ``hub``, ``system`` or ``interface``."""
    id: str
    """Its id; an agent's in hexadecimal."""
    before: int | None
    after: int
    at_ms: int
    reason: str
    cause: str = ""
    since_ms: int | None = None
    """Where only the cause or the reason changed: since when the state has held. None = since ``at_ms``."""
    is_reason: bool = False
    """Only the reason is another: what stands in the rows has to say so after a start, and nobody's history."""


class Recorded(NamedTuple):
    """What stands in the rows about one thing."""

    state: int
    since_ms: int
    reason: str
    cause: str = ""
