"""The hard limit: what the centre did not take in ``[upstream] keep_days`` goes, and the agents are told so.

A hub that lets rows go holds less than it said. So it first takes a new epoch: its agents forget what it holds and send
again what the centre lacks, as far back as their own disks reach. Only then the rows go, with their numbers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, select

from agent.link.answer import Receiver
from agent.link.clock import Chance, SystemChance
from collector.fleet.agent_status import REVOKED
from collector.fleet.keys import renew_epoch
from collector.intake.commit import Writer
from collector.log.positions import read_accepted
from collector.log.tables import envelopes
from collector.relay.queries import last_id
from collector.relay.relay import Relay
from collector.settings import Settings
from collector.store.engine import Store

log = logging.getLogger(__name__)
DAY_MS = 86_400_000
AT_ONCE = 500


class LettingGo:
    def __init__(
        self,
        settings: Settings,
        store: Store,
        relay: Relay,
        writer: Writer,
        become: Callable[[Receiver], None],
        chance: Chance | None = None,
    ) -> None:
        self._data_dir = settings.data_dir
        self._keep_ms = settings.upstream.keep_days * DAY_MS
        self._store = store
        self._relay = relay
        self._writer = writer
        self._become = become
        self._chance = chance or SystemChance()

    def step(self, now: datetime) -> None:
        """A day's worth at a time: each new epoch makes agents send all they have again."""
        if self._relay.is_recalling:  # a row that goes before it was read would count as taken by the centre
            return
        before_ms = round(now.timestamp() * 1000) - self._keep_ms
        rows = self._too_old(before_ms) if self._too_old(before_ms - DAY_MS, most=1) else []
        if not rows:
            return
        fleet = self._writer.registry.fleet
        agents = {agent for _, agent in rows}
        has_agents = any(agent in fleet.agents and fleet.agents[agent].status != REVOKED for agent in agents)
        log.error(
            "envelopes that the centre did not take in time are let go; their agents send again what it lacks",
            extra={"envelopes": len(rows), "agents": len(agents), "keep_days": self._keep_ms // DAY_MS},
        )
        self._writer.call(lambda: self._let_go([row for row, _ in rows], has_agents))

    def _let_go(self, ids: list[int], has_agents: bool) -> None:
        """In the writer's thread and in one go: no request is committed while the new epoch still holds the old rows."""
        if has_agents:
            self._become(renew_epoch(self._data_dir, self._chance))
        for start in range(0, len(ids), AT_ONCE):
            self._drop(ids[start : start + AT_ONCE])

    def _too_old(self, before_ms: int, most: int | None = None) -> list[tuple[int, bytes]]:
        """Rows and their agents, the first ``most``; never the newest row, so that ids do not come again."""
        found: list[tuple[int, bytes]] = []
        with self._store.reading() as connection:
            for low, high in self._relay.gaps(last_id(connection) - 1):
                rows = connection.execute(
                    select(envelopes.c.id, envelopes.c.agent_id, envelopes.c.received_at_ms)
                    .where(envelopes.c.id >= low, envelopes.c.id <= high)
                    .order_by(envelopes.c.id)
                )
                for row in rows:
                    if row.received_at_ms >= before_ms or len(found) == most:
                        return found
                    found.append((row.id, row.agent_id))
        return found

    def _drop(self, ids: list[int]) -> None:
        """A number whose row is gone is held no more."""
        writer = self._writer
        with writer.transaction() as connection:
            rows = connection.execute(select(envelopes).where(envelopes.c.id.in_(ids))).all()
            for row in rows:
                position = writer.positions.get((row.agent_id, row.epoch), row.received_at_ms)
                for seq in read_accepted(row.accepted).seqs:
                    position.held.remove(seq, seq)
            connection.execute(delete(envelopes).where(envelopes.c.id.in_(ids)))
            saved = writer.positions.save(connection)
        saved()
