"""What a centre holds, record by record, held against what machines were promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from machines import Machine, Promise, value_of
from sqlalchemy import select

from agent.link.model import Sample
from agent.link.ranges import Ranges
from agent.link.wire import open_body, open_envelope, open_header, open_record
from collector.intake.admit import instants
from collector.log.positions import read_accepted
from collector.log.tables import envelopes, losses
from collector.store.engine import Store

Name = tuple[bytes, bytes, int]
"""(agent, epoch, seq)"""


@dataclass
class FleetLog:
    """``rows``: how often a name is stored. ``records``: value and time by name, None for a loss record."""

    rows: Counter[Name] = field(default_factory=Counter)
    records: dict[Name, tuple[float, int] | None] = field(default_factory=dict)
    lost: dict[tuple[bytes, bytes], list[tuple[int, int]]] = field(default_factory=dict)


def read_log(store: Store) -> FleetLog:
    found = FleetLog()
    with store.reading() as connection:
        for row in connection.execute(select(envelopes.c.packed, envelopes.c.accepted)):
            header_bytes, _, body_bytes = open_envelope(row.packed)
            header = open_header(header_bytes)
            body = open_body(body_bytes, header)
            new = set(read_accepted(row.accepted).seqs)
            spooled = [
                Sample(i.seq, i.taken_at_ms, i.offset_ms, i.schema_hash, i.words.tobytes())
                for block in body.blocks
                for i in instants(block)
            ]
            for record in (*spooled, *(open_record(raw, header) for raw in body.records)):
                if record.seq in new:
                    name = (header.agent_id, header.epoch, record.seq)
                    value = value_of(record)
                    found.rows[name] += 1
                    found.records[name] = None if value is None else (value, record.taken_at_ms)
        for row in connection.execute(select(losses)):
            found.lost.setdefault((row.agent_id, row.epoch), []).append((row.first_seq, row.last_seq))
    return found


def complaints(found: FleetLog, machines: Iterable[Machine]) -> list[str]:
    """In words: records lost in silence, stored twice, invented, and holes in an epoch's numbers."""
    wrong = [f"{name} stored {count} times" for name, count in found.rows.items() if count != 1]
    wrong += [f"{name}: declared lost and stored" for name in found.rows if _declared(found, name)]
    by_value = Counter(record[0] for record in found.records.values() if record is not None)
    wrong += [f"value {value} stands under {count} names" for value, count in by_value.items() if count != 1]
    known: dict[float, int] = {}
    for machine in machines:
        wrong += [text for promise in machine.promised if (text := _broken(found, machine, promise))]
        known |= {promise.value: promise.taken_at_ms for promise in machine.promised} | machine.begun
        wrong += _holes(found, machine)
    told = [record for record in found.records.values() if record is not None]
    wrong += [f"value {value} at {at_ms} was never measured" for value, at_ms in told if known.get(value) != at_ms]
    return wrong


def _broken(found: FleetLog, machine: Machine, promise: Promise) -> str:
    name = (machine.identity.agent_id, promise.epoch, promise.seq)
    stored = found.records.get(name)
    if stored == (promise.value, promise.taken_at_ms):
        return ""
    if stored is not None:
        return f"{machine.identity.host}: {promise} is stored as {stored}"
    declared = _declared(found, name)
    return "" if declared == 1 else f"{machine.identity.host}: {promise} is gone and declared lost {declared} times"


def _declared(found: FleetLog, name: Name) -> int:
    return sum(first <= name[2] <= last for first, last in found.lost.get(name[:2], ()))


def _holes(found: FleetLog, machine: Machine) -> list[str]:
    wrong = []
    for epoch in {promise.epoch for promise in machine.promised}:
        last = max(promise.seq for promise in machine.promised if promise.epoch == epoch)
        seqs = [seq for agent, e, seq in found.rows if (agent, e) == (machine.identity.agent_id, epoch)]
        known = Ranges([*((seq, seq) for seq in sorted(seqs)), *found.lost.get((machine.identity.agent_id, epoch), ())])
        if gaps := known.gaps(1, max(last, known.last)):
            wrong.append(f"{machine.identity.host}: hole {gaps} in epoch {epoch.hex()}")
    return wrong
