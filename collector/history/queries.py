"""SQL of history: the log's rows that are not chunked yet, chunks, schemas, and what retention deletes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from collector.history.records import LogRow
from collector.history.tables import chunks
from collector.log.tables import checkpoint, envelopes, schemas

AT_ONCE = 500
"""Parameters of one IN list."""
_WAITING = ~envelopes.c.is_chunked & ~envelopes.c.is_parked
_LOG_ROW = [envelopes.c[name] for name in LogRow._fields]


class Backlog(NamedTuple):
    agent_id: bytes
    rows: int
    oldest_received_ms: int


def backlog(connection: Connection) -> list[Backlog]:
    """What is not chunked yet, by agent; read from the index alone."""
    rows = connection.execute(
        select(envelopes.c.agent_id, func.count(), func.min(envelopes.c.received_at_ms))
        .where(_WAITING)
        .group_by(envelopes.c.agent_id)
    )
    return [Backlog(*row) for row in rows]


def waiting(connection: Connection, agent_id: bytes, limit: int) -> list[LogRow]:
    """An agent's oldest rows that are not chunked yet."""
    rows = connection.execute(
        select(*_LOG_ROW)
        .where(envelopes.c.agent_id == agent_id, _WAITING)
        .order_by(envelopes.c.received_at_ms, envelopes.c.id)
        .limit(limit)
    )
    return [LogRow._make(row) for row in rows]


def tail(connection: Connection, agents: Iterable[bytes], received_from_ms: int) -> Iterator[LogRow]:
    """Rows of these agents that are not chunked yet and can hold samples taken since then; by agent, newest first."""
    for some in _portions(agents):
        rows = connection.execute(
            select(*_LOG_ROW)
            .where(envelopes.c.agent_id.in_(some), envelopes.c.received_at_ms >= received_from_ms, _WAITING)
            .order_by(envelopes.c.agent_id, envelopes.c.received_at_ms.desc(), envelopes.c.id.desc())
        )
        yield from map(LogRow._make, rows)


RowName = tuple[bytes, bytes, int, int]
"""Agent, epoch, first and last number: what an envelope that was kept is known by beside its id."""


def names_after(connection: Connection, after_id: int, received_from_ms: int, limit: int) -> list[tuple[int, RowName]]:
    """The next rows of all agents that were received since, by id: only what they are known by."""
    columns = [envelopes.c[name] for name in ("id", "agent_id", "epoch", "first_seq", "last_seq")]
    rows = connection.execute(
        select(*columns)
        .where(envelopes.c.id > after_id, envelopes.c.received_at_ms >= received_from_ms, ~envelopes.c.is_parked)
        .order_by(envelopes.c.id)
        .limit(limit)
    )
    return [(row[0], (row[1], row[2], row[3], row[4])) for row in rows]


def ids_between(connection: Connection, after_id: int, to_id: int) -> set[int]:
    """Ids of rows in ``(after, to]``."""
    inside = select(envelopes.c.id).where(envelopes.c.id > after_id, envelopes.c.id <= to_id, ~envelopes.c.is_parked)
    return set(connection.execute(inside).scalars())


def rows_of(connection: Connection, ids: Iterable[int]) -> list[LogRow]:
    found: list[LogRow] = []
    for some in _portions(ids):
        found += [LogRow._make(row) for row in connection.execute(select(*_LOG_ROW).where(envelopes.c.id.in_(some)))]
    return found


def mark_chunked(connection: Connection, ids: Sequence[int]) -> bool:
    """Mark rows; whether all of them were still to be marked. Where not, somebody else did and the caller undoes."""
    marked = 0
    for some in _portions(ids):
        marked += connection.execute(
            update(envelopes).where(envelopes.c.id.in_(some), ~envelopes.c.is_chunked).values(is_chunked=True)
        ).rowcount
    return marked == len(ids)


def add_chunks(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(chunks), rows)


def chunks_between(connection: Connection, schema_hashes: Iterable[bytes], from_ms: int, to_ms: int) -> Iterator[Any]:
    """Chunks of these schemas that reach into ``[from_ms, to_ms)``."""
    columns = [chunks.c[name] for name in ("agent_id", "epoch", "schema_hash", "to_ms", "flags", "times", "data")]
    for some in _portions(schema_hashes):
        yield from connection.execute(
            select(*columns, chunks.c.count.label("instants"))
            .where(chunks.c.schema_hash.in_(some), chunks.c.to_ms > from_ms, chunks.c.from_ms < to_ms)
            .execution_options(yield_per=200)
        )


def ends_before(connection: Connection, schema_hashes: Iterable[bytes], at_ms: int) -> dict[bytes, int]:
    """By schema, the newest ``to_ms`` of its chunks that ended before an instant."""
    found: dict[bytes, int] = {}
    for some in _portions(schema_hashes):
        rows = connection.execute(
            select(chunks.c.schema_hash, func.max(chunks.c.to_ms))
            .where(chunks.c.schema_hash.in_(some), chunks.c.to_ms <= at_ms)
            .group_by(chunks.c.schema_hash)
        )
        found.update((row[0], row[1]) for row in rows)
    return found


def active_schemas(connection: Connection, from_ms: int, to_ms: int) -> set[bytes]:
    """Schemas with a chunk that reaches into ``[from_ms, to_ms)``, and those so new that they have no chunk at all."""
    of_schema = chunks.c.schema_hash == schemas.c.hash
    reaches = exists().where(of_schema, chunks.c.to_ms > from_ms, chunks.c.from_ms < to_ms)
    return set(connection.execute(select(schemas.c.hash).where(reaches | ~exists().where(of_schema))).scalars())


def schema_count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(schemas)).scalar_one()


def schema_hashes(connection: Connection) -> set[bytes]:
    return set(connection.execute(select(schemas.c.hash)).scalars())


def packed_schemas(connection: Connection, hashes: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for some in _portions(hashes):
        for row in connection.execute(select(schemas.c.hash, schemas.c.packed).where(schemas.c.hash.in_(some))):
            yield row.hash, row.packed


def delete_chunks(connection: Connection, before_ms: int, limit: int) -> int:
    """Delete some chunks that ended before an instant; how many."""
    old = select(chunks.c.id).where(chunks.c.to_ms <= before_ms).limit(limit)
    return connection.execute(delete(chunks).where(chunks.c.id.in_(old))).rowcount


class OldEnvelopes(NamedTuple):
    ids: list[int]
    """May go, but for whoever still has to send them on."""
    expired: list[int]
    """May go whoever wants them."""
    last_id: int | None
    """Where to go on; None where the rest is too young."""


def old_envelopes(connection: Connection, after_id: int, keep_ms: int, forget_ms: int, limit: int) -> OldEnvelopes:
    """Rows that may go, among the next ``limit`` rows of the log.

    A row may go when the checkpoint has passed it and it was received before ``keep_ms`` and is chunked, or before
    ``forget_ms`` whatever it is (it waited in vain for its schema). The newest row stays: ids must never come again.
    """
    passed = connection.execute(select(checkpoint.c.envelope_id)).scalar() or 0
    rows = connection.execute(
        select(envelopes.c.id, envelopes.c.received_at_ms, envelopes.c.is_chunked)
        .where(
            envelopes.c.id > after_id,
            envelopes.c.id <= passed,
            envelopes.c.id < select(func.max(envelopes.c.id)).scalar_subquery(),
        )
        .order_by(envelopes.c.id)
        .limit(limit)
    ).all()
    expired = [row.id for row in rows if row.received_at_ms < forget_ms]
    ids = [row.id for row in rows if row.is_chunked and forget_ms <= row.received_at_ms < keep_ms]
    has_more = len(rows) == limit and rows[-1].received_at_ms < keep_ms
    return OldEnvelopes(ids, expired, rows[-1].id if has_more else None)


def delete_envelopes(connection: Connection, ids: Sequence[int]) -> None:
    for some in _portions(ids):
        connection.execute(delete(envelopes).where(envelopes.c.id.in_(some)))


def _portions(values: Iterable[Any]) -> Iterator[list[Any]]:
    everything = list(values)
    for start in range(0, len(everything), AT_ONCE):
        yield everything[start : start + AT_ONCE]
