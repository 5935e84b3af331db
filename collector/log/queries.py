"""Reading the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from collector.log.positions import HASH_BYTES, read_accepted
from collector.log.tables import checkpoint, envelopes, positions, schemas
from collector.store.engine import straight


class NewEnvelope(NamedTuple):
    """A row for ``add_envelopes``; what is not here is at its default."""

    agent_id: bytes
    epoch: bytes
    first_seq: int
    last_seq: int
    received_at_ms: int
    accepted: bytes
    packed: bytes
    is_parked: bool
    is_late: bool = False


_INTO = f"INSERT INTO {envelopes.name} ({', '.join(NewEnvelope._fields)}) VALUES "  # noqa: S608 -- our own names


def add_envelopes(connection: Connection, rows: list[NewEnvelope]) -> None:
    """Append to the log."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    straight(connection, f"{_INTO}({', '.join([mark] * len(NewEnvelope._fields))})", rows)


OVERLAPS = 200
"""Envelopes looked into for one number: an honest agent's hardly overlap, and nobody may make a replay cost minutes."""


def content_hash(connection: Connection, agent_id: bytes, epoch: bytes, seq: int) -> bytes | None:
    """The stored hash of a record, or None where its envelope is no longer kept."""
    for where in (~envelopes.c.is_chunked & ~envelopes.c.is_parked, envelopes.c.is_chunked | envelopes.c.is_parked):
        rows = connection.execute(  # one index each, see tables.py
            select(envelopes.c.accepted)
            .where(
                envelopes.c.agent_id == agent_id,
                envelopes.c.epoch == epoch,
                envelopes.c.first_seq <= seq,
                envelopes.c.last_seq >= seq,
                where,
            )
            .order_by(envelopes.c.first_seq.desc())
            .limit(OVERLAPS)
        )
        for (packed,) in rows:
            accepted = read_accepted(packed)
            if seq in accepted.seqs:
                at = accepted.seqs.index(seq)
                return accepted.hashes[HASH_BYTES * at : HASH_BYTES * (at + 1)]
    return None


def packed_schema(connection: Connection, schema_hash: bytes) -> bytes | None:
    found: bytes | None = connection.execute(select(schemas.c.packed).where(schemas.c.hash == schema_hash)).scalar()
    return found


def last_reports(connection: Connection) -> dict[bytes, int]:
    """When each agent's newest envelope was received, by rows alone: also while no collector runs."""
    written = connection.execute(select(checkpoint.c.envelope_id)).scalar() or 0
    saved = select(positions.c.agent_id, func.max(positions.c.last_received_at_ms)).group_by(positions.c.agent_id)
    since = (
        select(envelopes.c.agent_id, func.max(envelopes.c.received_at_ms))
        .where(envelopes.c.id > written)
        .group_by(envelopes.c.agent_id)
    )
    found: dict[bytes, int] = {}
    for rows in (saved, since):
        for agent_id, at_ms in connection.execute(rows):
            found[agent_id] = max(at_ms, found.get(agent_id, 0))
    return found


def newest(connection: Connection, window_ms: int) -> Iterator[Any]:
    """(id, received_at_ms, accepted, packed) of the log's last ``window_ms``, oldest first; parked ones left out."""
    last = connection.execute(select(func.max(envelopes.c.received_at_ms))).scalar()
    if last is None:
        return
    columns = (envelopes.c.id, envelopes.c.received_at_ms, envelopes.c.accepted, envelopes.c.packed)
    rows = connection.execute(
        select(*columns)
        .where(envelopes.c.received_at_ms >= last - window_ms, ~envelopes.c.is_parked)
        .order_by(envelopes.c.id)
        .execution_options(yield_per=500)
    )
    yield from rows
