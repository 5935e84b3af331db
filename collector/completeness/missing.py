"""The gaps of a site's agents that are old enough to be told. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collector.completeness.gaps import Gap, is_missing
from collector.completeness.spooled import Spooled
from collector.fleet.registry import Fleet, Site


class MissingRange(NamedTuple):
    """Numbers ``first..last`` of an agent's epoch; ``host`` is the one the agent runs on."""

    agent_id: bytes
    host: str
    epoch: bytes
    first: int
    last: int
    since_ms: int


def missing_of(
    known: Mapping[tuple[bytes, bytes], Sequence[Gap]], fleet: Fleet, site: Site, spooled: Spooled, now_ms: int
) -> list[MissingRange]:
    """By agent, the oldest number first."""
    here = set(fleet.agents_by_site.get(site.id, ()))
    interval_ms = site.interval_seconds * 1000
    return sorted(
        (
            MissingRange(agent_id, fleet.agents[agent_id].host, epoch, *gap)
            for (agent_id, epoch), gaps in known.items()
            if agent_id in here
            for gap in gaps
            if is_missing(gap, interval_ms, now_ms, spooled(fleet.agents[agent_id].host))
        ),
        key=lambda one: (one.host, one.agent_id, one.epoch, one.first),
    )
