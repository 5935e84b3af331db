"""Which rows of the log go into the next bundle: what is of now first, and the backlog newest first.

Rows of agents whose reports the centre does not take now stay where they are, however many. So the backlog is gone
through in passes: what a pass has passed over is not looked at again until the next one, besides what came meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from agent.link.clock import Clock
from agent.link.names import LIVE_LANE
from agent.link.ranges import Range, Ranges
from collector.relay import queries
from collector.relay.queries import Enclosed, Waiting, enclosed, last_id
from collector.store.engine import Store

LIVE_MS = 180_000
"""Of now is what was received within three of the longest interval, and was not late even then."""
HOLD_SECONDS = 3600.0
PASS_SECONDS = 60.0
"""After a pass everything that still waits is looked at again."""
SCANNED = 5_000
"""Rows looked at in one go, so that what is of now comes between."""
BUNDLE_BYTES = 4 << 20
BY_REGISTRY = {"unknown_agent", "unknown_key", "suspended", "revoked"}
"""Why the centre does not take an agent's envelopes, where its registry says the same."""


class Held(NamedTuple):
    """An agent whose envelopes the centre does not take now."""

    until: float
    code: str


class Picking:
    """Moments are monotonic seconds. ``settled`` is the relay's own set of rows that need not be sent any more."""

    def __init__(self, store: Store, clock: Clock, request_bytes: int) -> None:
        self.has_more = False
        """Whether the last look at the backlog ended before its oldest row."""
        self._store = store
        self._clock = clock
        self._most_bytes = min(BUNDLE_BYTES, request_bytes)
        self._held: dict[bytes, Held] = {}
        self._aside: dict[int, float] = {}
        """Row -> until when: alone in its request it was no request the centre could read."""
        self._newest = self._below = 0
        """This pass looked at the rows up to ``_newest``, but for those up to ``_below``."""
        self._again_at = 0.0

    # ------------------------------------------------------------ what stays

    def hold(self, agent_id: bytes, code: str) -> bool:
        """Leave an agent's rows for an hour; False where they are left already."""
        is_news = agent_id not in self._held
        if is_news:
            self._held[agent_id] = Held(self._clock.monotonic() + HOLD_SECONDS, code)
        return is_news

    def is_held(self, agent_id: bytes) -> bool:
        return agent_id in self._held

    def put_aside(self, row: int) -> None:
        self._aside[row] = self._clock.monotonic() + HOLD_SECONDS

    def release(self) -> None:
        """What was held may be welcome now."""
        self._held.clear()
        self.begin_again()

    def release_active(self, is_active: Callable[[bytes], bool]) -> None:
        """The registry is as it was. Whom it calls active the centre takes: its refusal was of a moment ago, or not about
        this agent, and an hour is too long to leave what is of now."""
        active = [agent for agent, held in self._held.items() if held.code in BY_REGISTRY and is_active(agent)]
        for agent in active:
            del self._held[agent]
        if active:
            self.begin_again()

    def begin_again(self) -> None:
        """Look at everything that waits again, at the next pick: what was picked did not arrive."""
        self._newest = self._below = 0
        self._again_at = 0.0

    @property
    def moments(self) -> list[float]:
        """When to look again."""
        return [self._again_at, *(held.until for held in self._held.values()), *self._aside.values()]

    # ------------------------------------------------------------ what goes

    def pick(self, lane: str, most: int, settled: Ranges) -> list[Enclosed]:
        """At most so many rows for the next bundle. Ids that are no rows are added to ``settled``."""
        now = self._clock.monotonic()
        held, aside = len(self._held), len(self._aside)
        self._held = {agent: one for agent, one in self._held.items() if one.until > now}
        self._aside = {row: until for row, until in self._aside.items() if until > now}
        if (held, aside) != (len(self._held), len(self._aside)):
            self.begin_again()
        with self._store.reading() as connection:
            choose = self._live if lane == LIVE_LANE else self._backlog
            ids = choose(connection, most, settled, now)
            return enclosed(connection, ids) if ids else []

    def _live(self, connection: Connection, most: int, settled: Ranges, _now: float) -> list[int]:
        chosen = _Bundle(most, self._most_bytes)
        from_ms = self._clock.wall_ms() - LIVE_MS
        for rows, absent in queries.waiting(connection, settled, 1, last_id(connection)):
            _settle(settled, absent)
            for row in rows:
                if row.received_at_ms < from_ms or (self._may_go(row) and not row.is_late and not chosen.take(row)):
                    return chosen.ids
        return chosen.ids

    def _backlog(self, connection: Connection, most: int, settled: Ranges, now: float) -> list[int]:
        last = last_id(connection)
        if not self._below and now >= self._again_at:
            self._newest = self._below = last
        chosen = _Bundle(most, self._most_bytes)
        self.has_more = True
        scanned = 0
        for first, newest, is_new in ((self._newest + 1, last, True), (1, self._below, False)):
            for rows, absent in queries.waiting(connection, settled, first, newest):
                _settle(settled, absent)
                for row in rows:
                    if self._may_go(row) and not chosen.take(row):
                        return chosen.ids
                    if not is_new:
                        self._below = row.id - 1
                scanned += len(rows)
                if scanned >= SCANNED and not is_new:
                    return chosen.ids
            if is_new:
                self._newest = last
        if self._below:
            self._below, self._again_at = 0, now + PASS_SECONDS
        self.has_more = False
        return chosen.ids

    def _may_go(self, row: Waiting) -> bool:
        return row.agent_id not in self._held and row.id not in self._aside


class _Bundle:
    def __init__(self, most: int, most_bytes: int) -> None:
        self.ids: list[int] = []
        self._most = most
        self._left = most_bytes

    def take(self, row: Waiting) -> bool:
        """False where it has no room; it always has for one."""
        if self.ids and (len(self.ids) >= self._most or row.size > self._left):
            return False
        self.ids.append(row.id)
        self._left -= row.size
        return True


def _settle(settled: Ranges, absent: list[Range]) -> None:
    for span in absent:
        settled.add(*span)
