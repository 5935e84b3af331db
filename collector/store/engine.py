"""Connections: many readers, one writer at a time, and ``transaction()`` as the only thing that commits.

SQLite runs in WAL mode with ``synchronous=FULL``, so that a commit that returned survives a power cut, and one
process-wide lock keeps its writers in a row instead of letting them meet as "database is locked". They share one
connection: what the last one read and wrote is still in its cache, where a commit through another connection would have
read eight pages again, and nobody else ever copies the WAL home.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from collector.errors import CollectorError


class StoreError(CollectorError):
    """The database cannot be used; the message says which, what was expected and what to do."""


WRITER_CACHE_KIB, READER_CACHE_KIB = 16_000, 4_000
"""Each connection has its own: dozens that read would each keep what the system's cache holds for all."""


class Store:
    """A database by URL: ``sqlite:////var/lib/bongsu/bongsu.db`` or ``postgresql+psycopg://…``."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as why:
            raise StoreError(
                f"[store] url = {url!r}: expected sqlite:///FILE or postgresql+psycopg://… ({why})"
            ) from why
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"pool_size": 16, "max_overflow": 32, "pool_use_lifo": True}
        if self.is_sqlite:
            options["connect_args"] = {"check_same_thread": False, "timeout": 30.0}
        else:
            options["pool_pre_ping"] = True
        self.engine = create_engine(parsed, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = threading.RLock()
        self._writer: Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose work is committed at the end, or undone where anything was raised."""
        if not self.is_sqlite:
            with self.engine.connect() as connection, connection.begin():
                yield connection
            return
        with self._writing:
            writer = self._writer
            if writer is None:
                writer = self._writer = self.engine.connect()
                writer.detach()  # from the pool: it is never given back
                writer.info["writes"] = True
                writer.exec_driver_sql(f"PRAGMA cache_size=-{WRITER_CACHE_KIB}")
                writer.rollback()
            try:
                with writer.begin():
                    yield writer
            except BaseException:
                self._let_go()  # it may be the connection that broke
                raise

    def _let_go(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for queries; what it writes is undone."""
        with self.engine.connect() as connection:
            yield connection
            connection.rollback()

    def close(self) -> None:
        with self._writing:
            self._let_go()
        self.engine.dispose()


def _prepare_sqlite(raw: Any, _entry: ConnectionPoolEntry) -> None:
    raw.isolation_level = None  # SQLAlchemy's own BEGIN below; sqlite3's legacy one would start too late
    cursor = raw.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        f"cache_size=-{READER_CACHE_KIB}",
        "wal_autocheckpoint=4000",  # 16 MB: an index page is copied home once for many commits that touched it
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE for writers: a transaction that begins as reader and then writes cannot wait its turn.
    straight(connection, "BEGIN IMMEDIATE" if connection.info.get("writes") else "BEGIN")


def straight(connection: Connection, statement: str, rows: Sequence[Sequence[Any]] | None = None) -> Any:
    """A cursor that ran ``statement``, once or for each row, for what every commit of the log does.

    It goes to the driver itself, whose placeholders it must have: SQLAlchemy takes 40 us more for each. Raises
    DBAPIError as SQLAlchemy would. After rows it is closed: dying later, in another thread, it would take its statement
    back from whoever uses it then.
    """
    cursor = connection.connection.cursor()
    try:
        if rows is None:
            cursor.execute(statement)
        else:
            cursor.executemany(statement, rows)
            cursor.close()
    except connection.dialect.loaded_dbapi.Error as why:
        raise DBAPIError.instance(statement, None, why, type(why), dialect=connection.dialect) from why
    return cursor
