"""A database that version 0.1.0 made goes up to this version with all that stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from released import FIRST, as_it_was, lay, now_in, released
from sqlalchemy import create_engine, select, text

from agent.link.clock import SystemClock
from collector.access.queries import list_api_tokens, list_persons
from collector.fleet.queries import list_hosts, list_sites
from collector.fleet.registry import Registry
from collector.fleet.tokens import list_tokens
from collector.store.engine import Store
from collector.store.migrate import SchemaVersionError, head, require_head, upgrade
from collector.store.schema import instant, metadata
from collector.store.scope import EVERYTHING
from collector.verdicts.queries import changes_of, recorded

OTHER = "bongsu_released"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database at the first release's version, with its rows."""
    url = f"sqlite:///{tmp_path / 'bongsu.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_url")
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {OTHER}"))
            connection.execute(text(f"CREATE DATABASE {OTHER}"))
        engine.dispose()
        url = f"{server.rpartition('/')[0]}/{OTHER}"
    store = Store(url)
    lay(store, released().rows)
    yield store
    store.close()


def plain(value: Any) -> Any:
    """As it compares across databases: JSON lists come back as lists or tuples."""
    return tuple(map(plain, value)) if isinstance(value, list | tuple) else value


def test_it_goes_up_with_its_rows(old: Store) -> None:
    with pytest.raises(SchemaVersionError, match="bongsu migrate"):
        require_head(old)
    assert upgrade(old) == (FIRST, head())
    require_head(old)
    with old.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == [], "as a new database"
        for name, (columns, rows) in released().rows.items():
            found = now_in(connection, name, columns)
            assert sorted(map(plain, found), key=repr) == sorted(map(plain, rows), key=repr), name
            new = [one for one in metadata.tables[name].c if one.name not in columns and not one.nullable]
            assert not new or None not in [v for row in connection.execute(select(*new)) for v in row], name


def test_todays_program_reads_it(old: Store) -> None:
    upgrade(old)
    at_ms = released().at_ms
    with old.reading() as connection:
        assert [one.id for one in list_sites(connection, EVERYTHING)] == ["abuja", "tokyo"]
        assert [one.id for one in list_hosts(connection, EVERYTHING)] == ["nas.tokyo", "shared.abuja", "srv1.abuja"]
        assert {(one.username, one.role) for one in list_persons(connection)} == {("admin", "admin"), ("kim", "viewer")}
        assert [one.name for one in list_api_tokens(connection)] == ["prometheus"]
        assert {one.state for one in list_tokens(connection, EVERYTHING, instant(at_ms))} == {"unused", "used"}
        assert recorded(connection)["host"]["srv1.abuja"].state == 0
        changes = changes_of(connection, "host", "srv1.abuja", 0, SystemClock().wall_ms())
        assert {change.after for change in changes} >= {0, 3}, "the disk was full now and then"
    registry = Registry(old)
    registry.refresh()
    assert registry.fleet.hosts["srv1.abuja"].agent_id == released().agent_id
    assert registry.fleet.agents[released().agent_id].keys == {1: released().agent.public}


def test_tables_as_they_were_have_no_defaults_of_today() -> None:
    columns, _ = released().rows["envelopes"]
    assert "is_late" in metadata.tables["envelopes"].c
    assert [one.name for one in as_it_was("envelopes", columns).c] == columns
