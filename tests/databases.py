"""Fixture ``store``: a database at the head, empty for each test, on SQLite and on a real PostgreSQL alike.

Both are made once per run: a test pays for a copied file, or for emptying what the test before it left. Use it with
``from databases import postgres_url, sqlite_template, store  # noqa: F401`` in a ``conftest.py``.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import postgresql
from sqlalchemy import create_engine, text

from collector.store.engine import Store
from collector.store.migrate import upgrade
from collector.store.schema import metadata

TEST = "bongsu_test"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a server's maintenance database; ``bongsu_test`` at the head is there too, for one test at a time."""
    folder = Path(tempfile.mkdtemp(prefix="bongsu-pg-"))
    try:
        with postgresql(folder) as url:
            _statement(url, f"CREATE DATABASE {TEST}")
            made = Store(_test_url(url))
            upgrade(made)
            made.close()
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "bongsu.db"
    made = Store(f"sqlite:///{path}")
    upgrade(made)
    made.close()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database at the head with no rows but the fleet's version."""
    if request.param == "sqlite":
        path = tmp_path / "bongsu.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        made = Store(f"sqlite:///{path}")
        yield made
        _close(made)
        return
    url = request.getfixturevalue("postgres_url")
    made = Store(_test_url(url))
    yield made
    _close(made)
    _empty(url)


def _empty(url: str) -> None:
    """As a new one: a tenth of what making a database costs."""
    # Whoever a test left in the middle of something would be waited for without end.
    _statement(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{TEST}'")
    tables = ", ".join(f'"{name}"' for name in metadata.tables)
    _statement(_test_url(url), f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    _statement(_test_url(url), "INSERT INTO fleet_version (id, version) VALUES (1, 0)")


def _test_url(url: str) -> str:
    return f"{url.rpartition('/')[0]}/{TEST}"


def _close(store: Store) -> None:
    pool = store.engine.pool
    left = pool.checkedout()  # type: ignore[attr-defined]
    store.close()
    assert left == 0, f"{left} connections were not given back"


def _statement(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()
