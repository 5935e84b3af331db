"""Each agent's schemas made ready, judged once and kept within bounds: an agent that invents schemas must not grow our memory."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.link.model import Schema
from agent.link.names import Limits
from agent.link.wire import WireError, open_schema
from collector.fleet.registry import Agent
from collector.live.shape import Layout, Shapes, check_columns

SchemaSource = Callable[[bytes], bytes | None]
KEPT = 64
"""Layouts of an agent, besides two for each of its hosts."""


@dataclass(slots=True)
class _OfAgent:
    layouts: dict[bytes, Layout] = field(default_factory=dict)
    width: int = 0
    """Columns of all ``layouts``."""
    series: dict[str, int] = field(default_factory=dict)
    """Series of each host, as its newest schema has them."""


class Layouts:
    """Asked by the event loop and by the writer's thread."""

    def __init__(self, limits: Limits, shapes: Shapes, stored_schema: SchemaSource) -> None:
        self._limits = limits
        self._shapes = shapes
        self._stored_schema = stored_schema
        self._agents: dict[bytes, _OfAgent] = {}
        self._making = threading.Lock()

    def of(self, agent: Agent, wanted: bytes, brought: dict[bytes, bytes]) -> Layout | None:
        """The layout of a schema for this agent; None where nobody has brought it. Raises WireError."""
        known = self._known(agent, wanted)
        if known is not None:
            return known
        packed = brought.get(wanted)
        if packed is None:
            packed = self._stored_schema(wanted)
        if packed is None:
            return None
        schema = open_schema(packed, self._limits)
        check_columns(schema, self._limits, agent.hosts)
        with self._making:
            kept = self._agents.setdefault(agent.id, _OfAgent())
            kept.series = self._counted(agent, schema, kept.series)
            self._make_room(kept, KEPT + 2 * len(agent.hosts), schema.width)
            made = kept.layouts[wanted] = self._shapes.layout(schema)
            kept.width += made.width
            return made

    def forget(self, keep: frozenset[bytes]) -> None:
        """Drop agents the registry no longer knows."""
        with self._making:
            for agent in self._agents.keys() - keep:
                del self._agents[agent]

    def _known(self, agent: Agent, wanted: bytes) -> Layout | None:
        kept = self._agents.get(agent.id)
        known = kept.layouts.get(wanted) if kept is not None else None
        return known if known and all(columns.host in agent.hosts for columns in known.hosts) else None

    def _counted(self, agent: Agent, schema: Schema, before: dict[str, int]) -> dict[str, int]:
        """Series by host, held to the agent's cap over all its hosts together. Raises WireError."""
        counts = {host: count for host, count in before.items() if host in agent.hosts}
        counts.update(Counter(series.host for series in schema.series))
        if sum(counts.values()) > self._limits.series_per_agent:
            raise WireError(
                "too_large",
                f"{sum(counts.values())} series over all hosts: expected at most {self._limits.series_per_agent} per agent",
            )
        return counts

    def _make_room(self, kept: _OfAgent, most: int, width: int) -> None:
        """Oldest first; twice the series an agent may have, so that each host's schema has room beside its next."""
        widest = 2 * self._limits.series_per_agent
        while kept.layouts and (len(kept.layouts) >= most or kept.width + width > widest):
            oldest = next(iter(kept.layouts))
            kept.width -= kept.layouts.pop(oldest).width
