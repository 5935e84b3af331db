"""Who can reach what: vantages vote, one voice each place, and only who reaches its own anchors has a voice.

A single place that cannot reach something says as much about its own path as about that thing; it takes two of the
usual three (the own hub, the centre, a foreign hub) to confirm that it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from collector.fleet.paths import Probe
from collector.fleet.registry import Fleet
from collector.verdicts.path_state import PathState
from collector.verdicts.standing import Fact

QUORUM = 2
Paths = Mapping[tuple[str, str], PathState]


class Tally(NamedTuple):
    """Sites that reached it, and sites that did not, twice in a row; ``mute`` have no vote."""

    reached: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    mute: tuple[str, ...] = ()

    @property
    def is_confirmed_down(self) -> bool:
        return len(self.failed) >= QUORUM and len(self.failed) > len(self.reached)

    @property
    def is_reachable(self) -> bool:
        return len(self.reached) > 0 and len(self.reached) >= len(self.failed)

    def facts(self, subject: str) -> tuple[Fact, ...]:
        return (
            *(Fact("probe_failed", subject, vantage) for vantage in self.failed),
            *(Fact("probe_answered", subject, vantage) for vantage in self.reached),
            *(Fact("vantage_mute", vantage) for vantage in self.mute),
        )


def tally(probes: Iterable[Probe], paths: Paths, fleet: Fleet, current: frozenset[str], mute: frozenset[str]) -> Tally:
    """Votes of the probes' places. ``current``: hosts with a current report; ``mute``: sites without a vote."""
    votes: dict[str, set[bool]] = {}
    silenced: set[str] = set()
    for probe in probes:
        entry = fleet.hosts.get(probe.host)
        state = paths.get((probe.host, probe.target))
        if entry is None or state is None or probe.host not in current:
            continue
        if entry.site in mute:
            silenced.add(entry.site)
        elif state.is_reached or state.is_failed:
            votes.setdefault(entry.site, set()).add(state.is_reached)
    reached = tuple(sorted(site for site, seen in votes.items() if True in seen))
    failed = tuple(sorted(site for site, seen in votes.items() if True not in seen))
    return Tally(reached, failed, tuple(sorted(silenced)))


def mute_sites(
    anchors: Mapping[str, tuple[Probe, ...]], paths: Paths, current: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """(sites that reach none of their anchors, sites that reach at least one); a site without anchors is in neither."""
    mute, sound = set(), set()
    for site, probes in anchors.items():
        states = [
            state
            for probe in probes
            if probe.host in current and (state := paths.get((probe.host, probe.target))) is not None
        ]
        if any(state.is_reached for state in states):
            sound.add(site)
        elif states and all(state.is_failed for state in states):
            mute.add(site)
    return frozenset(mute), frozenset(sound)
