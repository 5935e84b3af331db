"""What version 0.1.0 left behind (``recordings/record_v0_1_0.py`` made it): a centre's rows, an agent's spool, its requests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, TableClause, column, func, insert, select, table, text

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from agent.link.keys import SigningKey
from collector.store.engine import Store
from collector.store.migrate import alembic_config, load_tables
from collector.store.schema import metadata

FILE = Path(__file__).parent / "recordings" / "v0_1_0.bin"
HOST, FIRST = "srv1.abuja", "0001"


class Released(NamedTuple):
    """``at_ms``: when the rows were taken down. ``centre_files``: what lay beside the database. ``spool``: the agent's folder,
    identity and all, after the line was cut at that moment and it went on for twenty minutes. ``requests``: (path, body) of
    all that went up after that; ``held`` what the centre had then.
    """

    at_ms: int
    cut_until_ms: int
    agent_id: bytes
    key: bytes
    centre_key: bytes
    rows: dict[str, tuple[list[str], list[list[Any]]]]
    spool: dict[str, bytes]
    centre_files: dict[str, bytes]
    requests: list[tuple[str, bytes]]
    held: list[list[tuple[int, int]]]

    @property
    def agent(self) -> SigningKey:
        return SigningKey(self.key)

    @property
    def centre(self) -> SigningKey:
        return SigningKey(self.centre_key)


def released() -> Released:
    return Released(**msgspec.msgpack.decode(zstd.decompress(FILE.read_bytes())))


def lay(store: Store, rows: dict[str, tuple[list[str], list[list[Any]]]]) -> None:
    """An empty database as 0.1.0 would have it: its migration, and these rows."""
    from alembic import command

    load_tables()
    with store.transaction() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, FIRST)
        for name, (columns, values) in rows.items():
            then = as_it_was(name, columns)
            connection.execute(then.delete())
            if values:
                connection.execute(insert(then), [dict(zip(columns, row, strict=True)) for row in values])
            _go_on_counting(connection, name, columns)


def write(files: dict[str, bytes], folder: Path) -> None:
    """As they lay there, readable for their owner alone."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)


def as_it_was(name: str, columns: list[str]) -> TableClause:
    """The table with these columns alone, by today's types and without today's defaults."""
    types = metadata.tables[name].c
    return table(name, *(column(one, types[one].type) for one in columns))


def now_in(connection: Connection, name: str, columns: list[str]) -> list[list[Any]]:
    """What stands there now in these columns."""
    return [list(row) for row in connection.execute(select(*as_it_was(name, columns).c))]


def _go_on_counting(connection: Connection, name: str, columns: list[str]) -> None:
    """PostgreSQL numbers rows by a sequence that rows with their own numbers do not move."""
    if connection.dialect.name != "postgresql" or "id" not in columns:
        return
    sequence = connection.execute(text("SELECT pg_get_serial_sequence(:t, 'id')"), {"t": name}).scalar()
    if sequence:
        newest = connection.execute(select(func.max(as_it_was(name, columns).c.id))).scalar() or 0
        connection.execute(text("SELECT setval(:s, :n)"), {"s": sequence, "n": newest + 1})
