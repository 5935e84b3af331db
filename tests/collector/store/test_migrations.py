"""The migrations make exactly what ``tables.py`` files say, on both databases, and other versions are refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from collector.errors import CollectorError
from collector.fleet.tables import fleet_version
from collector.store.engine import Store, StoreError
from collector.store.migrate import SchemaVersionError, head, load_tables, require_head, upgrade
from collector.store.schema import metadata


def test_migrations_equal_the_tables(store: Store) -> None:
    load_tables()
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differences = compare_metadata(context, metadata)
    assert differences == [], 'write a migration: python -m collector.store.migrations.draft "what it does"'


def test_every_table_of_the_source_is_known(store: Store) -> None:
    load_tables()
    with store.reading() as connection:
        made = set(store.engine.dialect.get_table_names(connection))
    assert made == set(metadata.tables) | {"alembic_version"}


def test_the_fleet_has_its_version_row(store: Store) -> None:
    with store.reading() as connection:
        assert connection.execute(select(fleet_version)).all() == [(1, 0)]


def test_going_up_again_changes_nothing(store: Store) -> None:
    assert upgrade(store) == (head(), head())
    require_head(store)


def test_another_version_is_refused(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refusing in (require_head, upgrade):
        with pytest.raises(SchemaVersionError, match="a newer program made it"):
            refusing(store)


def test_an_empty_database_is_refused(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(SchemaVersionError, match="bongsu init"):
        require_head(store)


def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "bongsu.db"
    file.write_bytes(b"this is a letter to my aunt, and no database" * 100)
    for url, said in (
        (f"sqlite:///{file}", "not a database"),
        (f"sqlite:///{tmp_path}/nowhere/bongsu.db", "unable to open"),
        ("postgresql+psycopg://bongsu:secret@127.0.0.1:1/bongsu", "cannot be used"),
    ):
        store = Store(url)
        for refusing in (require_head, upgrade):
            with pytest.raises(StoreError, match=said) as caught:
                refusing(store)
            assert "secret" not in str(caught.value)
        store.close()
    with pytest.raises(CollectorError, match=r"\[store\] url = 'nonsense'"):
        Store("nonsense")
