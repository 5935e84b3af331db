"""Fixture ``store``: a database at the head, empty for each test, on SQLite and on a real PostgreSQL alike.

Both start from a template made once per run, so a test pays for a file copy or a ``CREATE DATABASE`` only. Use it with
``from databases import postgres_url, sqlite_template, store  # noqa: F401`` in a ``conftest.py``.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from postgres import postgresql
from sqlalchemy import create_engine, text

from collector.store.engine import Store
from collector.store.migrate import upgrade

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a server's maintenance database; a template ``bongsu_template`` at the head is there too."""
    folder = Path(tempfile.mkdtemp(prefix="bongsu-pg-"))
    try:
        with postgresql(folder) as url:
            _statement(url, "CREATE DATABASE bongsu_template")
            made = Store(url.rpartition("/")[0] + "/bongsu_template")
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
    name = f"test_{next(_numbers)}"
    _statement(url, f"CREATE DATABASE {name} TEMPLATE bongsu_template")
    made = Store(url.rpartition("/")[0] + f"/{name}")
    yield made
    _close(made)
    _statement(url, f"DROP DATABASE {name} WITH (FORCE)")


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
