"""Group commit: many requests, one transaction, and the answer only after it.

One thread takes whatever requests wait, writes them in one transaction, tells ``live``, and only then lets the answers
go. A request that arrives meanwhile waits for the next round, so a slow disk makes batches larger, not answers wrong.
The fleet's version is read inside the same transaction: a revocation that was committed before holds for this batch.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import SQLAlchemyError

from agent.link.answer import DROP, HOLD, RENEW
from agent.link.clock import Clock
from agent.link.model import encode
from agent.link.names import FUTURE_LIMIT_MS, KIND_LOSS, KIND_STATE
from collector.fleet.registry import Agent, Registry
from collector.intake.admit import Admitted, Refused, declared_loss, standing, state_change
from collector.live.board import Live
from collector.log.positions import Accepted, Name, Position, Positions
from collector.log.queries import content_hash
from collector.log.tables import envelopes, losses, schemas, wanted_schemas
from collector.store.engine import Store

log = logging.getLogger(__name__)
DAY_MS = 86_400_000


@dataclass(slots=True)
class Work:
    """One request on its way through the commit; ``finish`` is called in the writer's thread, with the error if any."""

    admitted: list[Admitted]
    refused: list[Refused]
    received_at_ms: int
    finish: Callable[[BaseException | None], None]
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What became of an admitted envelope. ``asked``: its numbers; ``ranges``: what is held after the commit."""

    envelope: Admitted
    accepted: Accepted
    duplicates: int = 0
    expired: int = 0
    asked: list[int] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)


class Batch:
    """Rows of one transaction in the making."""

    def __init__(self) -> None:
        self.envelopes: list[dict[str, Any]] = []
        self.losses: list[dict[str, Any]] = []
        self.schemas: dict[bytes, bytes] = {}
        self.wanted: dict[tuple[bytes, bytes], int] = {}
        self.touched: set[Name] = set()


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
        self._queue: queue.SimpleQueue[Work | Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._is_restored = True
        self.known_schemas: set[bytes] = set()
        self.wanted: dict[bytes, set[bytes]] = {}
        """Schema hash -> agents whose envelopes wait for it."""
        self.on_schema: Callable[[bytes], None] = lambda _packed: None
        """Told of a schema that an envelope brought while others waited for it."""
        self.on_commit: Callable[[int, float], None] = lambda _envelopes, _seconds: None

    def restore(self, connection: Connection) -> None:
        """Read back what is held, known and waited for; before ``start``."""
        self.positions.restore(connection)
        self.known_schemas = set(connection.execute(select(schemas.c.hash)).scalars())
        for row in connection.execute(select(wanted_schemas)):
            self.wanted.setdefault(row.hash, set()).add(row.agent_id)

    def save_checkpoint(self) -> None:
        """Ask for a checkpoint of the positions between two batches."""
        self.call(self._checkpoint)

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

    def submit(self, work: Work) -> None:
        self._queue.put(work)

    def call(self, action: Callable[[], None]) -> None:
        """Run ``action`` in the writer's thread between two batches; what it raises is logged."""
        self._queue.put(action)

    def _run(self) -> None:
        while True:
            waiting: list[Work | Callable[[], None] | None] = [self._queue.get()]
            while not self._queue.empty():
                waiting.append(self._queue.get())
            works = [item for item in waiting if isinstance(item, Work)]
            if works:
                self._commit_or_refuse(works)
            for item in waiting:
                if item is None:
                    return
                if not isinstance(item, Work):
                    self._call(item)

    def _commit_or_refuse(self, works: list[Work]) -> None:
        try:
            self.commit(works)
        except Exception as why:  # the request border of intake: a mistake of ours must not leave senders hanging
            log.exception("commit of %d requests failed, they were refused with 503", len(works))
            self._is_restored = False
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
        batch = Batch()
        try:
            with self.store.transaction() as connection:
                if not self._is_restored:
                    self.positions.restore(connection)
                    self._is_restored = True
                self.registry.refresh(connection)
                for work in works:
                    self._judge_again(work)
                    work.outcomes = [
                        outcome
                        for envelope in work.admitted
                        if (outcome := self._take(connection, batch, work, envelope)) is not None
                    ]
                self._write(connection, batch)
        except (SQLAlchemyError, OSError) as why:
            self._is_restored = False  # memory ran ahead of what is kept: read it back before the next batch
            log.error("commit of %d requests failed, they were refused with 503: %s", len(works), why)
            for work in works:
                work.finish(why)
            return
        self._after(works, batch)
        self.on_commit(len(batch.envelopes), self.clock.monotonic() - started)
        for work in works:
            work.finish(None)

    def _judge_again(self, work: Work) -> None:
        """Drop what may no longer report since it was admitted (revoked, suspended, unbound meanwhile)."""
        fleet = self.registry.fleet
        kept = []
        for envelope in work.admitted:
            reason = changed_standing(fleet.agents.get(envelope.agent.id), envelope)
            if reason is None:
                kept.append(envelope)
            else:
                work.refused.append(Refused(envelope.index, *reason, envelope.header, envelope.agent.site))
        work.admitted = kept

    def _take(self, connection: Connection, batch: Batch, work: Work, envelope: Admitted) -> Outcome | None:
        """Sort an envelope's records into new, duplicate, expired and forked; add rows to the batch."""
        header, now_ms = envelope.header, work.received_at_ms
        name = (header.agent_id, header.epoch)
        position = self.positions.get(name, now_ms)
        contents = [(i.seq, i.content, i.taken_at_ms + i.offset_ms) for i in envelope.samples]
        contents += [(r.seq, content, r.taken_at_ms + r.offset_ms) for r, content in envelope.records]
        outcome = Outcome(envelope, Accepted([], b""), asked=[seq for seq, _, _ in contents])
        fresh: list[tuple[int, bytes, int]] = []
        for seq, content, at_ms in contents:
            if seq not in position.held:
                if now_ms - at_ms > self._raw_ms:
                    outcome.expired += 1
                    self._lose(batch, name, position, seq, seq, "expired", now_ms)
                else:
                    fresh.append((seq, content, at_ms))
                continue
            known = position.recent.get(seq) or content_hash(connection, *name, seq)
            if known is not None and known != content:
                text = f"number {seq} of this epoch was already used for other content; a copy of this agent may be running"
                work.refused.append(Refused(envelope.index, RENEW, "fork", text, header, envelope.agent.site))
                return None
            outcome.duplicates += 1
        if fresh:
            fresh.sort()
            outcome.accepted = Accepted(
                [seq for seq, _, _ in fresh],
                b"".join(content for _, content, _ in fresh),
                [seq for seq, _, at_ms in fresh if at_ms - now_ms > FUTURE_LIMIT_MS],
            )
            self._keep(batch, work, envelope, position, outcome.accepted)
        batch.touched.add(name)
        position.last_received_at_ms = max(position.last_received_at_ms, now_ms)
        return outcome

    def _keep(self, batch: Batch, work: Work, envelope: Admitted, position: Position, accepted: Accepted) -> None:
        header = envelope.header
        for at, seq in enumerate(accepted.seqs):
            position.hold(seq, accepted.hashes[16 * at : 16 * (at + 1)])
        new = set(accepted.seqs)
        for record, _ in envelope.records:
            if record.kind == KIND_LOSS and record.seq in new:
                loss = declared_loss(record)
                name = (header.agent_id, header.epoch)
                self._lose(batch, name, position, loss.first, loss.last, loss.reason, work.received_at_ms)
        for schema, packed in envelope.new_schemas.items():
            if schema not in self.known_schemas:
                batch.schemas[schema] = packed
        for schema in envelope.missing:
            batch.wanted[schema, header.agent_id] = work.received_at_ms
        batch.envelopes.append(
            {
                "agent_id": header.agent_id,
                "epoch": header.epoch,
                "first_seq": accepted.seqs[0],
                "last_seq": accepted.seqs[-1],
                "received_at_ms": work.received_at_ms,
                "accepted": encode(accepted),
                "packed": envelope.packed,
                "is_parked": bool(envelope.missing),
            }
        )

    def _lose(
        self, batch: Batch, name: Name, position: Position, first: int, last: int, reason: str, now_ms: int
    ) -> None:
        for part in position.lose(first, last):
            row = {"agent_id": name[0], "epoch": name[1], "first_seq": part[0], "last_seq": part[1]}
            batch.losses.append({**row, "reason": reason, "at_ms": now_ms})

    def _write(self, connection: Connection, batch: Batch) -> None:
        if batch.schemas:
            rows = [{"hash": key, "packed": packed} for key, packed in batch.schemas.items()]
            connection.execute(insert(schemas), rows)
        wanted = [
            {"hash": key, "agent_id": agent, "asked_at_ms": at_ms}
            for (key, agent), at_ms in batch.wanted.items()
            if agent not in self.wanted.get(key, ())
        ]
        if wanted:
            connection.execute(insert(wanted_schemas), wanted)
        if batch.envelopes:
            connection.execute(insert(envelopes), batch.envelopes)
        if batch.losses:
            connection.execute(insert(losses), batch.losses)

    def _after(self, works: list[Work], batch: Batch) -> None:
        """The batch is durable: tell ``live``, and fix what each answer will say."""
        self.known_schemas.update(batch.schemas)
        for schema, packed in batch.schemas.items():
            if schema in self.wanted:
                self.on_schema(packed)
        for schema, agent_id in batch.wanted:
            self.wanted.setdefault(schema, set()).add(agent_id)
        fleet = self.registry.fleet
        for work in works:
            for outcome in work.outcomes:
                header = outcome.envelope.header
                position = self.positions.get((header.agent_id, header.epoch), work.received_at_ms)
                outcome.ranges = position.answered(outcome.asked)
                agent = fleet.agents.get(header.agent_id)
                site = fleet.sites.get(agent.site) if agent else None
                if agent is not None and site is not None:
                    feed(self.live, outcome, agent.site, site.interval_seconds * 1000, work.received_at_ms)


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


def feed(live: Live, outcome: Outcome, site: str, interval_ms: int, received_at_ms: int) -> None:
    """Tell ``live`` what an envelope brought, and count it for its site."""
    envelope, header = outcome.envelope, outcome.envelope.header
    live.heard(header.agent_id, header.epoch, received_at_ms)
    new = set(outcome.accepted.seqs)
    counts = live.reports
    if outcome.duplicates:
        counts[site, "duplicate"] += outcome.duplicates
    if outcome.expired:
        counts[site, "expired"] += outcome.expired
    for instant in envelope.samples:
        layout = envelope.layouts.get(instant.schema_hash)
        if instant.seq not in new:
            continue
        if layout is None:
            counts[site, "parked"] += 1
            continue
        if layout.refused:
            counts[site, "clash"] += layout.refused
        times = (instant.taken_at_ms, instant.offset_ms)
        result = live.sample(
            header.agent_id, header.epoch, layout, instant.seq, *times, instant.words, received_at_ms, interval_ms
        )
        counts[site, result] += 1
    for record, _ in envelope.records:
        if record.seq not in new:
            continue
        result = "accepted"
        if record.kind == KIND_STATE:
            change, at_ms = state_change(record), record.taken_at_ms + record.offset_ms
            result = live.state(
                header.agent_id,
                header.epoch,
                record.seq,
                at_ms,
                change.host,
                change.check,
                change.state,
                change.text,
                received_at_ms,
                interval_ms,
            )
        counts[site, result] += 1
