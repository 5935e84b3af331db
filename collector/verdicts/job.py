"""The verdict tick: judge, write what changed in one transaction, publish."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from collector.fleet.registry import Fleet, Registry
from collector.store.engine import Store
from collector.verdicts.evidence import Evidence, Reports, Window
from collector.verdicts.judge import judge
from collector.verdicts.memory import Memory
from collector.verdicts.past import Judged, Past
from collector.verdicts.queries import (
    add_changes,
    failing,
    forget,
    recorded,
    remembered,
    replace_failing,
    write_memory,
)
from collector.verdicts.standing import FailingCheck, Standing

log = logging.getLogger(__name__)
Windows = Mapping[tuple[str, str], Window]
MEMORY_MS = 60_000
"""How often what is remembered besides states goes to the rows where no state changed."""
GROWING = ("paths", "mains", "hubs", "carried", "silent", "slow")
"""Parts that move with every report: written now and then. The others are written with the change they belong to, and so
are paths as soon as one says something else: what is concluded from it must not be undone by a start."""


class VerdictJob:
    """``standing`` is the newest conclusion; take it once per use, it is replaced at every tick."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        reports: Reports,
        started_at_ms: int,
        hub_seen_ms: Callable[[], Mapping[str, int]] = dict,
        windows: Callable[[datetime], Windows] = lambda _now: {},
        turned_away: Callable[[int], bool] = lambda _now_ms: False,
    ) -> None:
        """``turned_away``: whether reports came that could not be kept, and whoever sent them may not be back yet."""
        self._store = store
        self._registry = registry
        self._reports = reports
        self._started_at_ms = started_at_ms
        self._hub_seen_ms = hub_seen_ms
        self._windows = windows
        self._turned_away = turned_away
        self._past: Past | None = None
        self._failing: set[FailingCheck] = set()
        self._written: dict[str, Any] = {}
        """Parts of the memory as the rows have them."""
        self._written_at_ms = 0
        self.standing = Standing()

    def step(self, now: datetime) -> None:
        """One judgement. Where its rows cannot be written the standing is published all the same, and the next tick
        finds the same changes again."""
        past = self._past
        if past is None:
            past = self._past = self._restore()
        fleet = self._registry.fleet
        now_ms = round(now.timestamp() * 1000)
        if self._turned_away(now_ms):
            self._started_at_ms = now_ms  # as after a start: nobody is judged for what we could not take
        evidence = Evidence(self._reports.hosts, self._reports.agents, self._hub_seen_ms(), self._windows(now))
        judged = judge(fleet, evidence, now_ms, past, self._started_at_ms)
        self.standing = judged.standing
        gone = _gone(past, fleet) if fleet.version != past.standing.fleet_version else []
        self._write_failing(judged.standing, fleet)
        parts = self._parts(judged, now_ms)
        if judged.changes or gone or parts:
            with self._store.transaction() as connection:
                forget(connection, gone)
                add_changes(connection, judged.changes)
                write_memory(connection, parts)
            for kind, subject in gone:
                past.books[kind].pop(subject, None)
            past.record(judged.changes)
            self._written |= {part: getattr(judged.memory, part) for part in parts}
            if judged.changes or gone:
                log.info("states changed", extra={"changes": len(judged.changes), "gone": len(gone)})
        judged.into(past)

    def _parts(self, judged: Judged, now_ms: int) -> dict[str, Any]:
        """Parts of the memory that have to go to the rows now."""
        memory = judged.memory
        is_time = now_ms - self._written_at_ms >= MEMORY_MS or now_ms < self._written_at_ms
        if is_time:
            self._written_at_ms = now_ms
        known = self._written
        same = [part.name for part in fields(Memory) if known.get(part.name, {}) == getattr(memory, part.name)]
        late = [part for part in GROWING if part != "paths" or not judged.says_anew]
        return memory.plain(leaving=same if is_time else [*same, *late])

    def _write_failing(self, standing: Standing, fleet: Fleet) -> None:
        now = {check for host in standing.hosts.values() for check in host.failing}
        # Of a host that was silent over a start there is no report to look at: what it said last stays said.
        now |= {check for check in self._failing if check.host in fleet.hosts and check.host not in self._reports.hosts}
        if now != self._failing:
            with self._store.transaction() as connection:
                replace_failing(connection, self._failing - now, now - self._failing)
            self._failing = now

    def _restore(self) -> Past:
        with self._store.reading() as connection:
            self._failing = failing(connection)
            memory = remembered(connection)
            self._written = {part.name: getattr(memory, part.name) for part in fields(Memory)}
            return Past(books=recorded(connection), memory=memory)


def _gone(past: Past, fleet: Fleet) -> list[tuple[str, str]]:
    """What the rows know and the registry does not any more."""
    known: dict[str, Any] = {
        "host": fleet.hosts,
        "site": fleet.sites,
        "agent": {agent.hex(): None for agent in fleet.agents},
        "link": fleet.links,
        "hub": fleet.hubs,
        "system": fleet.systems,
        "interface": fleet.interfaces,
    }
    return [(kind, subject) for kind, book in past.books.items() for subject in book if subject not in known[kind]]
