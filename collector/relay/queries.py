"""Reading the log for what the centre still lacks, and keeping how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from agent.link.answer import CENTRE, Receiver
from agent.link.model import encode
from agent.link.ranges import Range, Ranges
from collector.log.positions import Name, read_accepted
from collector.log.tables import envelopes
from collector.relay.tables import relay_position
from collector.store.engine import straight

NEAR = 500
"""Gaps this close together are read as one: those of an agent on hold lie between other agents' rows."""
ROWS_AT_ONCE = 400
_decode_ranges = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode

_WAITING = (  # built once: a hub asks at each of its turns, and building it took longer than the answer
    select(
        envelopes.c.id,
        envelopes.c.agent_id,
        envelopes.c.received_at_ms,
        envelopes.c.is_late,
        func.length(envelopes.c.packed),
    )
    .where(envelopes.c.id >= bindparam("low"), envelopes.c.id <= bindparam("top"))
    .order_by(envelopes.c.id.desc())
    .limit(ROWS_AT_ONCE)
)


class Waiting(NamedTuple):
    """A row of the log that the centre was not seen to hold, without its bytes."""

    id: int
    agent_id: bytes
    received_at_ms: int
    is_late: bool
    size: int


class Enclosed(NamedTuple):
    """The same with what is to be sent, and the numbers it brought first."""

    id: int
    name: Name
    first_seq: int
    last_seq: int
    seqs: list[int]
    packed: bytes


def last_id(connection: Connection) -> int:
    (last,) = straight(connection, f"SELECT max(id) FROM {envelopes.name}").fetchone()  # noqa: S608 -- our own name
    return last or 0


def waiting(
    connection: Connection, settled: Ranges, first: int, last: int
) -> Iterator[tuple[list[Waiting], list[Range]]]:
    """What waits of the ids ``first..last``, newest first, some at a time; with each portion the ids that are not in the
    log at all."""
    for low, high in reversed(_near(settled.gaps(first, last))):
        top = high
        while top >= low:
            rows = connection.execute(_WAITING, {"low": low, "top": top}).all()
            bottom = rows[-1].id if len(rows) == ROWS_AT_ONCE else low
            there = Ranges()
            for row in reversed(rows):
                there.add(row.id)
            yield [Waiting(*row) for row in rows if row.id not in settled], there.gaps(bottom, top)
            top = bottom - 1


def waiting_numbers(
    connection: Connection, settled: Ranges, first: int, last: int, most: int
) -> tuple[dict[Name, Ranges], int]:
    """(the numbers that rows of the ids ``first..last`` brought and that wait, by agent and epoch; from which id to go on).
    So many rows are read, and where settled ones lie between them a few more."""
    table = envelopes.c
    columns = (table.id, table.agent_id, table.epoch, table.first_seq, table.last_seq, table.accepted)
    found: dict[Name, list[int]] = {}
    left = most
    for low, high in _near(settled.gaps(first, last)):
        rows = connection.execute(
            select(*columns).where(table.id >= low, table.id <= high).order_by(table.id).limit(left)
        ).all()
        for row, agent_id, epoch, from_seq, to_seq, accepted in rows:
            if row not in settled:
                seqs = (from_seq,) if from_seq == to_seq else read_accepted(accepted).seqs
                found.setdefault((agent_id, epoch), []).extend(seqs)
        left -= len(rows)
        if left <= 0:
            last = rows[-1].id
            break
    return {name: Ranges((seq, seq) for seq in sorted(seqs)) for name, seqs in found.items()}, last + 1


def _near(gaps: list[Range]) -> list[Range]:
    joined: list[Range] = []
    for first, last in gaps:
        if joined and first - joined[-1][1] <= NEAR:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def enclosed(connection: Connection, ids: Sequence[int]) -> list[Enclosed]:
    """Rows of these ids, newest first."""
    table = envelopes.c
    columns = (table.id, table.agent_id, table.epoch, table.first_seq, table.last_seq, table.accepted, table.packed)
    found = []
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        for row in connection.execute(select(*columns).where(table.id.in_(some)).order_by(table.id.desc())):
            seqs = read_accepted(row.accepted).seqs
            found.append(Enclosed(row.id, (row.agent_id, row.epoch), row.first_seq, row.last_seq, seqs, row.packed))
    return found


def backlog(connection: Connection, settled: Ranges) -> tuple[int, int | None]:
    """(how many rows wait, when the oldest of them was received). Counted by ids: the few that are no rows go as the
    relay meets them."""
    gaps = settled.gaps(1, last_id(connection))
    for low, high in gaps:
        within = (envelopes.c.id >= low, envelopes.c.id <= high)
        first = select(envelopes.c.received_at_ms).where(*within).order_by(envelopes.c.id).limit(1)
        oldest = connection.execute(first).scalar()
        if oldest is not None:
            return sum(last - first + 1 for first, last in gaps), oldest
    return 0, None


def read_position(connection: Connection) -> tuple[Ranges, Receiver | None]:
    """What needs not be sent any more, and who said so."""
    row = connection.execute(select(relay_position)).first()
    if row is None:
        return Ranges(), None
    return Ranges(_decode_ranges(row.settled)), Receiver(CENTRE, row.receiver_id, row.receiver_epoch)


def write_position(connection: Connection, settled: Ranges, receiver: Receiver) -> None:
    connection.execute(delete(relay_position))
    row = {"id": 1, "settled": encode(settled.as_lists()), "receiver_id": receiver.id, "receiver_epoch": receiver.epoch}
    connection.execute(insert(relay_position), row)
