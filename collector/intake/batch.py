"""Rows of one transaction in the making: each record of an envelope is new, a duplicate, too old, or forked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from sqlalchemy import Connection, insert

from agent.link.answer import HOLD, RENEW
from agent.link.model import encode
from agent.link.names import FUTURE_LIMIT_MS
from agent.link.ranges import Ranges
from collector.intake.admit import Admitted, Refused
from collector.intake.records import EXPIRED, REFUSED, ROLLED_UP, replaced, time_of
from collector.intake.work import Outcome, Work
from collector.log.positions import EPOCHS_KEPT, RANGES_KEPT, Accepted, Name, Position, Positions
from collector.log.queries import NewEnvelope, add_envelopes, content_hash
from collector.log.tables import losses, schemas, wanted_schemas

SCHEMAS_WAITED_FOR = 1_000
"""Of one agent."""
LATE_MS = 180_000
"""Older than three of the longest interval when it came: backlog, not of now."""


class Batch:
    """``positions`` run ahead of the commit: where that fails they must be read back."""

    def __init__(
        self, positions: Positions, known_schemas: Set[bytes], wanted: Mapping[bytes, Set[bytes]], raw_ms: int
    ) -> None:
        self._positions = positions
        self._waiting = wanted
        self._known_schemas = known_schemas
        self._raw_ms = raw_ms
        self.envelopes: list[NewEnvelope] = []
        self._brought: dict[Name, dict[int, bytes]] = {}
        """Content by number of what this batch holds and the log does not yet."""
        self._lost: dict[tuple[bytes, bytes, str, int], Ranges] = {}
        """By (agent, epoch, reason, when): the roll-ups of ten hosts' samples in turn are one range together."""
        self.schemas: dict[bytes, bytes] = {}
        self.wanted: dict[tuple[bytes, bytes], int] = {}
        """(schema hash, agent id) -> when it was asked for."""

    def take(self, connection: Connection, work: Work, envelope: Admitted) -> Outcome | None:
        """Sort an envelope's records into new, duplicate, expired and forked; add its rows."""
        header, now_ms = envelope.header, work.received_at_ms
        name = (header.agent_id, header.epoch)
        full = self._is_full(name) or self._waits_for_too_much(envelope)
        if full is not None:
            work.refused.append(Refused(envelope.index, *full, header, envelope.agent.site))
            return None
        position = self._positions.get(name, now_ms)
        contents = [(i.seq, i.content, i.taken_at_ms + i.offset_ms) for i in envelope.samples]
        contents += [(r.seq, content, time_of(r)) for r, content in envelope.records]
        outcome = Outcome(envelope, Accepted([], b""), asked=[seq for seq, _, _ in contents])
        brought = self._brought.get(name, {})
        fresh: list[tuple[int, bytes, int]] = []
        expired: set[int] = set()
        for seq, content, at_ms in contents:
            if seq not in position.held:
                if seq in envelope.refused:
                    continue
                if now_ms - at_ms > self._raw_ms:
                    if seq in position.lost:
                        outcome.duplicates += 1
                        continue
                    outcome.expired += 1
                    self._lose(name, position, seq, seq, EXPIRED, now_ms)
                    expired.add(seq)
                else:
                    fresh.append((seq, content, at_ms))
                continue
            known = position.recent.get(seq) or brought.get(seq) or content_hash(connection, *name, seq)
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
            is_late = now_ms - max(at_ms for _, _, at_ms in fresh) > LATE_MS
            self._keep(work, envelope, position, outcome.accepted, is_late)
        self._lose_replaced(name, position, envelope, expired, now_ms)
        if envelope.refused:
            self._refuse(name, position, outcome, now_ms)
        position.last_received_at_ms = max(position.last_received_at_ms, now_ms)
        return outcome

    def _is_full(self, name: Name) -> tuple[str, str, str] | None:
        """(action, code, text) where remembering more of this name would never end."""
        if not self._positions.has_room(name):
            return HOLD, "too_large", f"over {EPOCHS_KEPT} epochs of this agent: enroll it again with a new join token"
        if name in self._positions and self._positions.pieces(name) > RANGES_KEPT:
            return RENEW, "too_large", f"over {RANGES_KEPT} gaps between the numbers of this epoch"
        return None

    def _waits_for_too_much(self, envelope: Admitted) -> tuple[str, str, str] | None:
        """(action, code, text) where this agent names ever more schemas and brings none."""
        agent_id = envelope.header.agent_id
        news = [name for name in envelope.missing if agent_id not in self._waiting.get(name, ())]
        if not news:
            return None
        waiting = sum(agent_id in agents for agents in self._waiting.values())
        waiting += sum(agent == agent_id for _, agent in self.wanted)
        if waiting + len(news) <= SCHEMAS_WAITED_FOR:
            return None
        return HOLD, "too_large", f"over {SCHEMAS_WAITED_FOR} schemas of this agent were asked for and did not come"

    def _keep(self, work: Work, envelope: Admitted, position: Position, accepted: Accepted, is_late: bool) -> None:
        header = envelope.header
        brought = self._brought.setdefault((header.agent_id, header.epoch), {})
        for at, seq in enumerate(accepted.seqs):
            brought[seq] = content = accepted.hashes[16 * at : 16 * (at + 1)]
            position.hold(seq, content)
        new = set(accepted.seqs)
        self._lose_replaced((header.agent_id, header.epoch), position, envelope, new, work.received_at_ms)
        for schema, packed in envelope.new_schemas.items():
            if schema not in self._known_schemas:
                self.schemas[schema] = packed
        for schema in envelope.missing:
            self.wanted[schema, header.agent_id] = work.received_at_ms
        self.envelopes.append(
            NewEnvelope(
                header.agent_id,
                header.epoch,
                accepted.seqs[0],
                accepted.seqs[-1],
                work.received_at_ms,
                encode(accepted),
                envelope.packed,
                bool(envelope.missing),
                is_late,
            )
        )

    def _lose_replaced(self, name: Name, position: Position, envelope: Admitted, seqs: Set[int], now_ms: int) -> None:
        """What these records of the envelope stand for will not come by itself; also where they are too old to be kept."""
        for record, _ in envelope.records:
            if record.seq in seqs:
                ranges, reason = replaced(record)
                if reason == ROLLED_UP and record.seq in position.lost:  # what stood for them is not kept either
                    reason = EXPIRED
                for first, last in ranges:
                    if reason == ROLLED_UP:  # also of what was declared lost before: something stands for it after all
                        self._note_lost(name, reason, now_ms, position.lost.shared([(first, last)]))
                    self._lose(name, position, first, last, reason, now_ms)

    def _refuse(self, name: Name, position: Position, outcome: Outcome, now_ms: int) -> None:
        """Records that may not come in are lost, each for its own reason, and what roll-ups among them stood for."""
        envelope = outcome.envelope
        for seq, code in envelope.refused.items():
            if seq not in position.held and seq not in position.lost:
                outcome.refused += 1
                self._lose(name, position, seq, seq, f"{REFUSED}:{code}", now_ms)
        for record, _ in envelope.records:
            if record.seq in envelope.refused and record.seq not in position.held:
                for first, last in replaced(record)[0]:
                    self._lose(name, position, first, last, f"{REFUSED}:{envelope.refused[record.seq]}", now_ms)

    def _lose(self, name: Name, position: Position, first: int, last: int, reason: str, now_ms: int) -> None:
        self._note_lost(name, reason, now_ms, position.lose(first, last))

    def _note_lost(self, name: Name, reason: str, now_ms: int, parts: Iterable[tuple[int, int]]) -> None:
        for part in parts:
            self._lost.setdefault((*name, reason, now_ms), Ranges()).add(*part)

    def write(self, connection: Connection) -> None:
        """Insert everything, inside the caller's transaction."""
        if self.schemas:
            rows = [{"hash": key, "packed": packed} for key, packed in self.schemas.items()]
            connection.execute(insert(schemas), rows)
        asked = [
            {"hash": key, "agent_id": agent, "asked_at_ms": at_ms}
            for (key, agent), at_ms in self.wanted.items()
            if agent not in self._waiting.get(key, ())
        ]
        if asked:
            connection.execute(insert(wanted_schemas), asked)
        if self.envelopes:
            add_envelopes(connection, self.envelopes)
        lost: list[dict[str, Any]] = [
            {"agent_id": agent, "epoch": epoch, "first_seq": first, "last_seq": last, "reason": reason, "at_ms": at_ms}
            for (agent, epoch, reason, at_ms), ranges in self._lost.items()
            for first, last in ranges
        ]
        if lost:
            connection.execute(insert(losses), lost)
