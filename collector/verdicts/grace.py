"""After a start: until when what lacks evidence is no conclusion yet.

Two intervals of the slowest link profile for everything, and longer only for what stands on a host that reports more seldom
by its own word. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collector.verdicts import reasons as r
from collector.verdicts.finding import Finding
from collector.verdicts.index import Index, system_parents
from collector.verdicts.pace import Pace
from collector.verdicts.standing import NO_DATA, PlaceStanding

GRACE_INTERVALS = 2
"""Intervals in which nobody is judged for not having reported yet."""
_OF_OTHERS = frozenset({r.DEPENDENCY, r.MEMBERS_DEGRADED})


@dataclass(frozen=True, slots=True)
class Grace:
    ends_ms: int
    slow_ends_ms: int
    slow: Mapping[str, int]
    """Hosts that report more seldom than their site's profile says."""
    index: Index

    def places(self, kind: str, at_ms: int) -> frozenset[str]:
        """Links, hubs, systems or interfaces that stand on what slow hosts say, while that may still be awaited."""
        if not self.slow or at_ms >= self.slow_ends_ms:
            return frozenset()
        if kind == "system":
            return frozenset(self._systems())
        if kind == "interface":
            ends = self.index.fleet.interfaces.values()
            return frozenset(end.id for end in ends if end.check.partition("/")[0] in self.slow)
        probes = self.index.at_link if kind == "link" else self.index.at_hub
        return frozenset(place for place, seen in probes.items() if any(probe.host in self.slow for probe in seen))

    def _systems(self) -> Iterable[str]:
        found = {system for host in self.slow for system in self.index.systems_on_host.get(host, ())}
        for system in self.index.systems_in_order:
            if not found.isdisjoint(system_parents(system)):
                found.add(system.id)
        return found


def make_grace(index: Index, pace: Pace, started_at_ms: int) -> Grace:
    return Grace(
        started_at_ms + GRACE_INTERVALS * pace.longest_ms,
        started_at_ms + GRACE_INTERVALS * max(pace.longest_ms, pace.slowest_ms),
        pace.slow,
        index,
    )


def in_grace(found: Finding, now_ms: int, ends_ms: int, judged: Mapping[str, PlaceStanding]) -> Finding:
    """What lacks evidence only because the collector has just started is no conclusion yet, and neither is what follows
    from nothing else. ``judged``: what it may stand on, judged before."""
    if now_ms >= ends_ms:
        return found
    lacks = found.state == NO_DATA or found.reason == r.MEMBERS_UNKNOWN
    if found.reason in _OF_OTHERS:
        lacks |= all(fact.subject in judged and judged[fact.subject].reason == r.STARTING for fact in found.evidence)
    return Finding(NO_DATA, r.STARTING) if lacks else found
