"""What the centre said of epochs that are over is forgotten: an agent that begins a new one does not ask again."""

from __future__ import annotations

from datetime import datetime

from collector.intake.commit import Writer
from collector.log.positions import Name
from collector.relay.custody import Custody

OVER_MS = 7 * 86_400_000
"""How long nothing came of an epoch that has a successor."""


class Tidying:
    def __init__(self, writer: Writer, custody: Custody) -> None:
        self._writer = writer
        self._custody = custody

    def step(self, now: datetime) -> None:
        before_ms = round(now.timestamp() * 1000) - OVER_MS
        self._writer.call(lambda: self._tidy(before_ms))

    def _tidy(self, before_ms: int) -> None:
        """In the writer's thread, where positions stand still."""
        gone = self.over(before_ms) & self._custody.names
        if gone:
            with self._writer.store.transaction() as connection:
                self._custody.drop(connection, gone)
            self._custody.lose_sight_of(gone)

    def over(self, before_ms: int) -> set[Name]:
        """Epochs of which nothing came since, of agents that are gone or have a newer one."""
        known = list(self._writer.positions.items())
        newest: dict[bytes, int] = {}
        for (agent_id, _), position in known:
            newest[agent_id] = max(newest.get(agent_id, 0), position.first_received_at_ms)
        agents = self._writer.registry.fleet.agents
        return {
            name
            for name, position in known
            if position.last_received_at_ms < before_ms
            and (name[0] not in agents or position.first_received_at_ms < newest[name[0]])
        }
