"""SQL of the collector's own series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from collector.history.tables import own_layouts, own_samples


def layouts(connection: Connection) -> Iterator[tuple[bytes, bytes]]:
    """Every layout: its hash and what it holds."""
    for row in connection.execute(select(own_layouts.c.hash, own_layouts.c.packed)):
        yield row.hash, row.packed


def stream_layouts(connection: Connection) -> Iterator[tuple[str, bytes]]:
    """Which layouts each stream had."""
    for row in connection.execute(select(own_samples.c.stream, own_samples.c.layout).distinct()):
        yield row.stream, row.layout


def add_layout(connection: Connection, name: bytes, packed: bytes) -> None:
    if connection.execute(select(own_layouts.c.hash).where(own_layouts.c.hash == name)).first() is None:
        connection.execute(insert(own_layouts), {"hash": name, "packed": packed})


def add_samples(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(own_samples), rows)


def samples_between(
    connection: Connection, streams: Iterable[str], from_ms: int, to_ms: int, with_data: Iterable[bytes]
) -> Iterator[Any]:
    """Rows of these streams that reach into ``[from_ms, to_ms)``, in order of time; values only of these layouts."""
    columns = [own_samples.c[name] for name in ("stream", "layout", "times", "count")]
    inside = [
        own_samples.c.stream.in_(list(streams)),
        own_samples.c.to_ms > from_ms,
        own_samples.c.from_ms < to_ms,
    ]
    has_data = own_samples.c.layout.in_(list(with_data))
    for extra, condition in (([own_samples.c.data], has_data), ([], ~has_data)):
        yield from connection.execute(
            select(*columns, *extra).where(*inside, condition).order_by(own_samples.c.from_ms)
        )


def single_samples(connection: Connection, before_ms: int, limit: int) -> list[Any]:
    """The oldest samples that still stand alone, before an instant; by stream, in order of time."""
    oldest = (
        select(own_samples.c.id)
        .where(own_samples.c.count == 1, own_samples.c.flags == 0, own_samples.c.to_ms <= before_ms)
        .order_by(own_samples.c.to_ms)
        .limit(limit)
    )
    return list(
        connection.execute(
            select(own_samples)
            .where(own_samples.c.id.in_(oldest))
            .order_by(own_samples.c.stream, own_samples.c.from_ms, own_samples.c.id)
        )
    )


def thick_samples(connection: Connection, before_ms: int, limit: int) -> list[Any]:
    """Some rows that ended before an instant and still hold every sample."""
    old = select(own_samples).where(own_samples.c.to_ms <= before_ms, own_samples.c.flags == 0)
    return list(connection.execute(old.order_by(own_samples.c.to_ms).limit(limit)))


def delete_samples(connection: Connection, ids: Sequence[int]) -> int:
    deleted = 0
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        deleted += connection.execute(delete(own_samples).where(own_samples.c.id.in_(some))).rowcount
    return deleted


def delete_before(connection: Connection, before_ms: int) -> int:
    """Forget what is too old, and layouts nobody uses any more; how many samples' rows."""
    deleted = connection.execute(delete(own_samples).where(own_samples.c.to_ms <= before_ms)).rowcount
    used = select(own_samples.c.layout)
    connection.execute(delete(own_layouts).where(~own_layouts.c.hash.in_(used)))
    return deleted


def newest_ms(connection: Connection) -> int | None:
    return connection.execute(select(func.max(own_samples.c.to_ms))).scalar()
