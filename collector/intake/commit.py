"""Group commit: many requests, one transaction, and the answer only after it.

One thread takes whatever requests wait, writes them in one transaction, tells ``live``, and only then lets the answers
go. A request that arrives meanwhile waits for the next round, so a slow disk makes batches larger, not answers wrong.
The fleet's version is read inside the same transaction: a revocation that was committed before holds for this batch.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from agent.link.answer import DROP, HOLD
from agent.link.clock import Clock
from agent.link.ranges import Ranges
from collector.fleet.registry import Agent, Registry
from collector.intake.admit import Admitted, Refused, standing
from collector.intake.batch import Batch
from collector.intake.feed import feed
from collector.intake.gathering import Gathering
from collector.intake.work import Outcome, Work
from collector.live.board import Live
from collector.log.positions import Name, Positions
from collector.log.tables import schemas, wanted_schemas
from collector.store.engine import Store

log = logging.getLogger(__name__)
DAY_MS = 86_400_000
AGAIN_MS = 75_000
"""Whoever was refused is here again within this time: an agent waits a minute at most."""
WANTED_AGAIN = 1_000
"""Schemas waited for, of all agents, up to which each answer asks for its agents' again; more are looked through too long."""

Waiting = tuple[Work, ...] | Callable[[], None] | None
"""Requests to be committed together, an errand between two commits, or the word to stop."""


class Writer:
    """The one thread that writes the log. ``submit`` from any thread; ``call`` runs something between two batches."""

    def __init__(
        self, store: Store, registry: Registry, positions: Positions, live: Live, clock: Clock, raw_days: float
    ) -> None:
        self.store = store
        self.registry = registry
        self.positions = positions
        self.live = live
        self.clock = clock
        self._raw_ms = int(raw_days * DAY_MS)
        self.decides = True
        """Whether it may declare what cannot be read to be lost; a hub leaves that to its centre."""
        self._queue: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._gathering = Gathering()
        self._is_restored = True
        self.known_schemas: set[bytes] = set()
        self.wanted: dict[bytes, set[bytes]] = {}
        """Schema hash -> agents whose envelopes wait for it."""
        self.on_schema: Callable[[bytes], None] = lambda _packed: None
        """Told of a schema that an envelope brought while others waited for it."""
        self.receipt_of: Callable[[Name, Ranges], str] | None = None
        """On a hub: the centre's receipt of a name, of which these numbers are held here. Asked in this thread, after a
        commit: only here is it certain what is held."""
        self.on_commit: Callable[[int, float], None] = lambda _envelopes, _seconds: None
        self._is_writing = False
        self.failing_since_ms: int | None = None
        """Since when nothing could be stored; None where the last commit was made."""
        self._failed_ms: int | None = None

        self.on_taken: Callable[[Outcome, int], None] = lambda _outcome, _received_at_ms: None
        """Told of each envelope that was committed and when it was received, in this thread, before it is answered."""

    def turned_away(self, now_ms: int) -> bool:
        """Whether agents were refused because nothing could be stored, and may not have had the time to come again."""
        return self._failed_ms is not None and 0 <= now_ms - self._failed_ms < AGAIN_MS

    @property
    def is_committing(self) -> bool:
        """Whether requests wait to be written, or are: for whoever would get in the way."""
        return self._is_writing or not self._queue.empty()

    def restore(self, connection: Connection) -> None:
        """Read back what is held, known and waited for; before ``start``."""
        self.positions.restore(connection)
        self.known_schemas = set(connection.execute(select(schemas.c.hash)).scalars())
        for row in connection.execute(select(wanted_schemas)):
            self.wanted.setdefault(row.hash, set()).add(row.agent_id)

    def save_checkpoint(self) -> None:
        """Ask for a checkpoint of the positions between two batches."""
        self.call(self._checkpoint)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """For the writer's thread. Where it fails, memory ran ahead of what is kept: it is read back in the next one."""
        try:
            with self.store.transaction() as connection:
                if not self._is_restored:
                    self.positions.restore(connection)
                    self._is_restored = True
                yield connection
        except BaseException:
            self._is_restored = False
            raise

    def _checkpoint(self) -> None:
        if self.positions.is_dirty and self._is_restored:
            with self.store.transaction() as connection:
                saved = self.positions.save(connection)
            saved()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    def company_seconds(self) -> float:
        """How long a request that comes now is to wait for others before it is looked at."""
        return self._gathering.wait(time.monotonic()) if self._thread.is_alive() else 0.0

    def submit(self, *works: Work) -> None:
        """These together: each thing put into the queue wakes the writer, who then wants the interpreter."""
        self._queue.put(works)

    def call(self, action: Callable[[], None]) -> None:
        """Run ``action`` in the writer's thread between two batches; what it raises is logged."""
        self._queue.put(action)

    def _run(self) -> None:
        while True:
            if not self._work_off([self._queue.get()]):
                return

    def step(self) -> None:
        """Do what waits, here and now: for a collector that lives in steps and never calls ``start``."""
        while not self._queue.empty():
            self._work_off([self._queue.get()])

    def _work_off(self, waiting: list[Waiting]) -> bool:
        """Commit and run these and all others that wait; False where it was said to stop."""
        while not self._queue.empty():
            waiting.append(self._queue.get())
        works = [work for item in waiting if isinstance(item, tuple) for work in item]
        if works:
            self._gathering.came(len(works), time.monotonic())
            self._is_writing = True
            self._commit_or_refuse(works)
            self._is_writing = False
        for item in waiting:
            if item is None:
                return False
            if not isinstance(item, tuple):
                self._call(item)
        return True

    def _commit_or_refuse(self, works: list[Work]) -> None:
        try:
            self.commit(works)
        except Exception as why:  # the request border of intake: a mistake of ours must not leave senders hanging
            log.exception("commit of %d requests failed, they were refused with 503", len(works))
            self._is_restored = False
            self._note_failure()
            for work in works:
                work.finish(why)

    def _call(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:  # the border of the writer's thread: one failed errand must not stop intake
            log.exception("log writer errand failed")

    def commit(self, works: list[Work]) -> None:
        """Write, tell ``live``, answer. On failure nothing was kept and every request hears of it."""
        started = self.clock.monotonic()
        batch = Batch(self.positions, self.known_schemas, self.wanted, self._raw_ms)
        try:
            with self.transaction() as connection:
                self.registry.refresh(connection)
                for work in works:
                    self._judge_again(work)
                    work.outcomes = [
                        outcome
                        for envelope in work.admitted
                        if (outcome := batch.take(connection, work, envelope)) is not None
                    ]
                batch.write(connection)
        except (SQLAlchemyError, OSError) as why:
            log.error("commit of %d requests failed, they were refused with 503: %s", len(works), why)
            self._note_failure()
            for work in works:
                work.finish(why)
            return
        self.failing_since_ms = None
        self._after(works, batch)
        self.on_commit(len(batch.envelopes), self.clock.monotonic() - started)
        for work in works:
            work.finish(None)

    def _note_failure(self) -> None:
        self._failed_ms = self.clock.wall_ms()
        if self.failing_since_ms is None:
            self.failing_since_ms = self._failed_ms

    def _judge_again(self, work: Work) -> None:
        """Drop what may no longer report since it was admitted (revoked, suspended, unbound meanwhile)."""
        fleet = self.registry.fleet
        kept = []
        for envelope in work.admitted:
            reason = changed_standing(fleet.agents.get(envelope.agent.id), envelope)
            if reason is not None and work.singly and reason[0] == DROP:
                envelope.refused |= no_longer_bound(envelope, fleet.agents[envelope.agent.id])
                reason = None
            if reason is None:
                kept.append(envelope)
            else:
                work.refused.append(Refused(envelope.index, *reason, envelope.header, envelope.agent.site))
        work.admitted = kept

    def _after(self, works: list[Work], batch: Batch) -> None:
        """The batch is durable: tell ``live``, and fix what each answer will say."""
        self.known_schemas.update(batch.schemas)
        for schema, agent_id in batch.wanted:
            self.wanted.setdefault(schema, set()).add(agent_id)
        for schema, packed in batch.schemas.items():
            if schema in self.wanted:
                self.on_schema(packed)
        fleet = self.registry.fleet
        for work in works:
            for outcome in work.outcomes:
                header = outcome.envelope.header
                position = self.positions.get((header.agent_id, header.epoch), work.received_at_ms)
                outcome.ranges = position.answered(outcome.asked)
                self._hand_down(work, (header.agent_id, header.epoch))
                agent = fleet.agents.get(header.agent_id)
                site = fleet.sites.get(agent.site) if agent else None
                if agent is not None and site is not None:
                    feed(self.live, outcome, agent.site, site.interval_seconds * 1000, work.received_at_ms)
                    self.on_taken(outcome, work.received_at_ms)
            work.held = {name: self.positions.peek(name) for refusal in work.refused if (name := refusal.name)}
            for name in work.held:
                self._hand_down(work, name)
            if 0 < len(self.wanted) <= WANTED_AGAIN:
                brought = {outcome.envelope.header.agent_id for outcome in work.outcomes}
                still = ((schema, agents) for schema, agents in self.wanted.items() if schema not in self.known_schemas)
                work.wanted = [schema for schema, agents in still if not brought.isdisjoint(agents)]

    def _hand_down(self, work: Work, name: Name) -> None:
        if self.receipt_of is not None and name in self.positions and name not in work.receipts:
            work.receipts[name] = self.receipt_of(name, self.positions.held(name))


def no_longer_bound(envelope: Admitted, agent: Agent) -> dict[int, str]:
    """Number -> code of the samples that name a host which is not this agent's any more."""
    gone = {
        name for name, layout in envelope.layouts.items() if any(one.host not in agent.hosts for one in layout.hosts)
    }
    return {instant.seq: "bad_labels" for instant in envelope.samples if instant.schema_hash in gone}


def changed_standing(agent: Agent | None, envelope: Admitted) -> tuple[str, str, str] | None:
    """(action, code, text) where an admitted envelope may no longer come in, by the newest fleet."""
    if agent is envelope.agent:
        return None
    reason = standing(agent, envelope.header)
    if reason is not None:
        return HOLD, *reason
    assert agent is not None
    unbound = {columns.host for layout in envelope.layouts.values() for columns in layout.hosts} - agent.hosts
    if unbound:
        return DROP, "bad_labels", f"host {min(unbound)!r} is not bound to this agent"
    return None
