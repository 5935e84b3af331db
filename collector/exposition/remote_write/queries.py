"""SQL of remote write: rows to send, and the position of each destination."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from agent.link.model import encode
from agent.link.ranges import Range, Ranges
from collector.exposition.tables import remote_write
from collector.history.records import LogRow
from collector.log.tables import envelopes

_LOG_ROW = [envelopes.c[name] for name in LogRow._fields]
_decode_ranges = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode


class Found(NamedTuple):
    """Rows of one range; ``looked`` is how much of the range was looked at, ``parked`` ids have no schema yet."""

    rows: list[LogRow]
    parked: list[int]
    looked: Range


def newest_id(connection: Connection) -> int:
    return connection.execute(select(func.max(envelopes.c.id))).scalar() or 0


def oldest(connection: Connection) -> tuple[int, int] | None:
    """(id, received_at_ms) of the first row of the log."""
    row = connection.execute(
        select(envelopes.c.id, envelopes.c.received_at_ms).order_by(envelopes.c.id).limit(1)
    ).first()
    return (row.id, row.received_at_ms) if row is not None else None


def rows_between(connection: Connection, first: int, last: int, newest_first: bool, limit: int, size: int) -> Found:
    """Up to ``limit`` rows of ``first..last``, and no more than ``size`` bytes of them, but one."""
    order = envelopes.c.id.desc() if newest_first else envelopes.c.id
    asked = select(*_LOG_ROW, envelopes.c.is_parked).where(envelopes.c.id.between(first, last)).order_by(order)
    rows: list[LogRow] = []
    parked: list[int] = []
    end = last
    for row in connection.execute(asked.limit(limit).execution_options(yield_per=20)):
        if size <= 0:
            break
        size -= len(row.packed)
        end = row.id
        if row.is_parked:
            parked.append(row.id)
        else:
            rows.append(LogRow._make(row[: len(LogRow._fields)]))
    else:
        if len(rows) + len(parked) < limit:
            return Found(rows, parked, (first, last))
    return Found(rows, parked, (end, last) if newest_first else (first, end))


def received_at_ms(connection: Connection, first: int, last: int) -> int | None:
    """When the first row of a range was received; None where it has none that can be read."""
    found: int | None = connection.execute(
        select(envelopes.c.received_at_ms)
        .where(envelopes.c.id.between(first, last), ~envelopes.c.is_parked)
        .order_by(envelopes.c.id)
        .limit(1)
    ).scalar()
    return found


def load_done(connection: Connection, name: str) -> list[tuple[int, int]]:
    """Ranges of the log's ids that a destination has; none where it is new."""
    packed = connection.execute(select(remote_write.c.done).where(remote_write.c.name == name)).scalar()
    found: list[tuple[int, int]] = _decode_ranges(packed) if packed is not None else []
    return found


def save_done(connection: Connection, name: str, done: Ranges, now_ms: int) -> None:
    connection.execute(delete(remote_write).where(remote_write.c.name == name))
    connection.execute(insert(remote_write), {"name": name, "done": encode(done.as_lists()), "saved_at_ms": now_ms})
