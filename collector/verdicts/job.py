"""The verdict tick: judge, write what changed in one transaction, publish."""

from __future__ import annotations

import logging
from datetime import datetime

from collector.fleet.registry import Fleet, Registry
from collector.store.engine import Store
from collector.verdicts.judge import Evidence, Past, judge
from collector.verdicts.queries import add_changes, failing, forget, recorded, replace_failing
from collector.verdicts.standing import FailingCheck, Standing

log = logging.getLogger(__name__)


class VerdictJob:
    """``standing`` is the newest conclusion; take it once per use, it is replaced at every tick."""

    def __init__(self, store: Store, registry: Registry, evidence: Evidence, started_at_ms: int) -> None:
        self._store = store
        self._registry = registry
        self._evidence = evidence
        self._started_at_ms = started_at_ms
        self._past: Past | None = None
        self._failing: set[FailingCheck] = set()
        self.standing = Standing()

    def step(self, now: datetime) -> None:
        """One judgement. Where its rows cannot be written the standing is published all the same, and the next tick
        finds the same changes again."""
        past = self._past
        if past is None:
            past = self._past = self._restore()
        fleet = self._registry.fleet
        judged = judge(fleet, self._evidence, round(now.timestamp() * 1000), past, self._started_at_ms)
        self.standing = judged.standing
        gone = _gone(past, fleet) if fleet.version != past.standing.fleet_version else []
        self._write_failing(judged.standing)
        if judged.changes or gone:
            with self._store.transaction() as connection:
                forget(connection, gone)
                add_changes(connection, judged.changes)
            for kind, subject in gone:
                past.book(kind).pop(subject, None)
            past.record(judged.changes)
            log.info("states changed", extra={"changes": len(judged.changes), "gone": len(gone)})
        past.standing, past.reports = judged.standing, judged.reports

    def _write_failing(self, standing: Standing) -> None:
        now = {check for host in standing.hosts.values() for check in host.failing}
        if now != self._failing:
            with self._store.transaction() as connection:
                replace_failing(connection, self._failing - now, now - self._failing)
            self._failing = now

    def _restore(self) -> Past:
        with self._store.reading() as connection:
            books = recorded(connection)
            self._failing = failing(connection)
        return Past(hosts=books["host"], sites=books["site"], agents=books["agent"])


def _gone(past: Past, fleet: Fleet) -> list[tuple[str, str]]:
    """What the rows know and the registry does not any more."""
    agents = {agent.hex() for agent in fleet.agents}
    return [
        *(("host", host) for host in past.hosts.keys() - fleet.hosts.keys()),
        *(("site", site) for site in past.sites.keys() - fleet.sites.keys()),
        *(("agent", agent) for agent in past.agents.keys() - agents),
    ]
