"""Connections: many readers, one writer at a time, and ``transaction()`` as the only thing that commits.

SQLite runs in WAL mode with ``synchronous=FULL``, so that a commit that returned survives a power cut, and one
process-wide lock keeps its writers in a row instead of letting them meet as "database is locked".
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from collector.errors import CollectorError


class StoreError(CollectorError):
    """The database cannot be used; the message says which, what was expected and what to do."""


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
        options: dict[str, Any] = {"pool_size": 16, "max_overflow": 32}
        if self.is_sqlite:
            options["connect_args"] = {"check_same_thread": False, "timeout": 30.0}
        else:
            options["pool_pre_ping"] = True
        self.engine = create_engine(parsed, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = threading.RLock() if self.is_sqlite else nullcontext()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose work is committed at the end, or undone where anything was raised."""
        with self._writing, self.engine.connect() as connection:
            connection.info["writes"] = True
            try:
                with connection.begin():
                    yield connection
            finally:
                connection.info.pop("writes", None)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for queries; what it writes is undone."""
        with self.engine.connect() as connection:
            yield connection
            connection.rollback()

    def close(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(raw: Any, _entry: ConnectionPoolEntry) -> None:
    raw.isolation_level = None  # SQLAlchemy's own BEGIN below; sqlite3's legacy one would start too late
    cursor = raw.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "cache_size=-16000",
        "wal_autocheckpoint=4000",  # 16 MB: an index page is copied home once for many commits that touched it
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE for writers: a transaction that begins as reader and then writes cannot wait its turn.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info.get("writes") else "BEGIN")
