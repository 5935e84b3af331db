"""The checker: what a centre's database holds, record by record, held against what agents measured.

Every value is unique in a run, so each can be followed by itself: ``produced = stored ⊎ declared lost``, nothing is
there twice, nothing was never measured, no number of an epoch is without its fate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from agent.link.model import Sample
from agent.link.ranges import Ranges
from agent.link.spool_memory import MemorySpool
from agent.link.spool_record import CORRUPT, REFUSED, Spooled
from agent.link.wire import open_body, open_envelope, open_header, open_record
from collector.intake.admit import instants
from collector.log.positions import Positions, read_accepted
from collector.log.tables import envelopes, losses
from collector.store.engine import Store
from collector.world.agent import Promise, WorldAgent, value_of
from collector.world.clock import START_MS

RETENTION_MS = 15 * 86_400_000
Name = tuple[bytes, bytes, int]
"""(agent, epoch, seq)"""


@dataclass
class Ledger:
    """``rows``: how often a name is stored. ``records``: value and time by name, None for a loss or a roll-up.

    ``lost``: ranges declared lost by agent and epoch; ``reasons``: how many numbers for each reason.
    """

    rows: Counter[Name] = field(default_factory=Counter)
    records: dict[Name, tuple[float, int] | None] = field(default_factory=dict)
    lost: dict[tuple[bytes, bytes], list[tuple[int, int]]] = field(default_factory=dict)
    once_lost: dict[tuple[bytes, bytes], list[tuple[int, int]]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    corrupt: Counter[bytes] = field(default_factory=Counter)
    """Numbers lost to damage, by agent."""
    newest_row: dict[bytes, int] = field(default_factory=dict)
    """Of each agent, in the order of commits."""

    def declared(self, name: Name) -> int:
        """How often a number is declared lost."""
        return sum(first <= name[2] <= last for first, last in self.lost.get(name[:2], ()))

    def was_declared(self, name: Name) -> bool:
        """Whether it ever was, whatever came under that number afterwards."""
        return any(first <= name[2] <= last for first, last in self.once_lost.get(name[:2], ()))


def read_ledger(store: Store) -> Ledger:
    found = Ledger()
    with store.reading() as connection:
        columns = (envelopes.c.id, envelopes.c.packed, envelopes.c.accepted)
        for row in connection.execute(select(*columns).order_by(envelopes.c.id)):
            header_bytes, _, body_bytes = open_envelope(row.packed)
            header = open_header(header_bytes)
            found.newest_row[header.agent_id] = row.id
            body = open_body(body_bytes, header)
            new = set(read_accepted(row.accepted).seqs)
            samples = [
                Sample(i.seq, i.taken_at_ms, i.offset_ms, i.schema_hash, i.words.tobytes())
                for block in body.blocks
                for i in instants(block)
            ]
            spooled: list[Spooled] = [*samples, *(open_record(raw, header) for raw in body.records)]
            for record in spooled:
                if record.seq in new:
                    name = (header.agent_id, header.epoch, record.seq)
                    value = value_of(record)
                    found.rows[name] += 1
                    found.records[name] = None if value is None else (value, record.taken_at_ms)
        known = Positions()
        known.restore(connection)  # a row of losses may be of a number that came after all
        found.lost = {name: list(position.lost) for name, position in known.items()}
        for row in connection.execute(select(losses)):
            count = row.last_seq - row.first_seq + 1
            found.once_lost.setdefault((row.agent_id, row.epoch), []).append((row.first_seq, row.last_seq))
            found.reasons[row.reason] += count
            found.corrupt[row.agent_id] += count if row.reason == CORRUPT else 0
    return found


def complaints(found: Ledger, agents: Iterable[WorldAgent]) -> list[str]:
    """In words, everything that is wrong; empty where all is well."""
    agents = list(agents)
    twinned = {agent.identity.agent_id for agent in agents if agent.is_twinned}
    wrong = [f"{_said(name)} stored {count} times" for name, count in found.rows.items() if count != 1]
    wrong += [
        f"{_said(name)}: declared lost and stored"
        for name in found.rows
        if name[0] not in twinned and found.declared(name)
    ]
    by_value = Counter(value for name, value in _values(found) if name[0] not in twinned)
    wrong += [f"value {value} stands under {count} names" for value, count in by_value.items() if count != 1]
    known: dict[tuple[bytes, float], int] = {}
    for agent in agents:
        wrong += _promises(found, agent)
        for value, at_ms in agent.begun.items():
            known[agent.identity.agent_id, value] = at_ms
        for promise in agent.promised:
            known[agent.identity.agent_id, promise.value] = promise.taken_at_ms
    for name, record in found.records.items():
        if record is not None and known.get((name[0], record[0])) != record[1]:
            wrong.append(f"{_said(name)}: value {record[0]} at {record[1]} was never measured")
    wrong += holes(found, agents)
    refused = {reason: count for reason, count in found.reasons.items() if reason.startswith(REFUSED)}
    if refused:
        wrong.append(f"declared lost though nobody here sends what may be refused: {refused}")
    for agent in agents:
        if not agent.was_damaged and (count := found.corrupt[agent.identity.agent_id]):
            wrong.append(f"{agent.identity.host}: {count} numbers lost to damage that its disk did not have")
    return wrong


def taken_after(found: Ledger, revoked_rows: Mapping[bytes, int]) -> list[str]:
    """Agents of whom something was committed after their revocation was; told by rows, for a request that was answered
    before may bear a later time: the world handles it when it is sent, and stamps it with when it arrives."""
    return [
        f"agent {agent_id.hex()[:8]}: revoked at row {row}, and taken from in row {newest}"
        for agent_id, row in revoked_rows.items()
        if (newest := found.newest_row.get(agent_id, 0)) > row
    ]


def _values(found: Ledger) -> Iterator[tuple[Name, float]]:
    for name, record in found.records.items():
        if record is not None:
            yield name, record[0]


def _promises(found: Ledger, agent: WorldAgent) -> list[str]:
    mine = agent.identity.agent_id
    there = {value for name, value in _values(found) if name[0] == mine} if agent.is_twinned else set()
    wrong = []
    for promise in agent.promised if agent.revoked_ms is None else ():
        name = (mine, promise.epoch, promise.seq)
        text = _broken(found, name, promise)
        if text and not (agent.is_twinned and _is_renamed(found, name, promise, there)):
            wrong.append(f"{agent.identity.host}: {text}")
    return wrong


def _is_renamed(found: Ledger, name: Name, promise: Promise, there: set[float]) -> bool:
    """A twin's record is found by its value, for it was given a new name; one that came too old was declared lost, under
    whatever name it had then."""
    is_old = promise.taken_at_ms < START_MS - RETENTION_MS and bool(found.reasons["expired"])
    return promise.value in there or found.was_declared(name) or is_old


def _broken(found: Ledger, name: Name, promise: Promise) -> str:
    stored = found.records.get(name)
    if stored == (promise.value, promise.taken_at_ms):
        return ""
    if stored is not None:
        return f"{promise} is stored as {stored}"
    declared = found.declared(name)
    return "" if declared == 1 else f"{promise} is gone and declared lost {declared} times"


def holes(found: Ledger, agents: Iterable[WorldAgent]) -> list[str]:
    """Numbers without a fate, up to the last the agent gave or the centre knows."""
    wrong = []
    for agent in agents:
        mine = agent.identity.agent_id
        epochs = {epoch for agent_id, epoch, _ in found.rows if agent_id == mine}
        epochs |= {promise.epoch for promise in agent.promised}
        for epoch in epochs - agent.gone_epochs:
            seqs = sorted(seq for agent_id, e, seq in found.rows if (agent_id, e) == (mine, epoch))
            known = Ranges([*((seq, seq) for seq in seqs), *found.lost.get((mine, epoch), ())])
            last = max((p.seq for p in agent.promised if p.epoch == epoch), default=0)
            if not agent.is_twinned and agent.revoked_ms is None and (gaps := known.gaps(1, max(last, known.last))):
                wrong.append(f"{agent.identity.host}: hole {gaps} in epoch {epoch.hex()}")
    return wrong


def _said(name: Name) -> str:
    return f"agent {name[0].hex()[:8]} epoch {name[1].hex()[:8]} number {name[2]}"


QUARANTINE_BYTES = 4 << 20


def over_caps(agent: WorldAgent) -> list[str]:
    """Whether an agent holds more than it may, now: on its disk (spool, ballast, what it put aside) and in memory."""
    if not agent.is_up:
        return []
    wrong = []
    room = agent.cap_bytes + agent.cap_bytes // 4 + QUARANTINE_BYTES
    if agent.disk.used > room:
        wrong.append(f"{agent.identity.host}: {agent.disk.used} bytes on the disk, cap {agent.cap_bytes}")
    in_memory = sum(shelf.bytes for shelf in agent.spool.shelves() if isinstance(shelf, MemorySpool))
    if in_memory > agent.memory_bytes:
        wrong.append(f"{agent.identity.host}: {in_memory} bytes in memory, cap {agent.memory_bytes}")
    return wrong
