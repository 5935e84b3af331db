"""Brings a database to this program's schema version, and refuses to work on any other.

The whole way up is one transaction on both databases: a migration that fails leaves what was there. Alembic is only loaded
to go up: a collector that runs asks for its version alone, and would carry 10 MB of it for ever.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from collector.store.engine import Store, StoreError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION_TABLE = "alembic_version"
_REVISION = re.compile(r'^(revision|down_revision)\s*(?::[^=]*)?=\s*"([^"]+)"', re.MULTILINE)


class SchemaVersionError(StoreError):
    """The database is not at this program's schema version."""


def upgrade(store: Store) -> tuple[str, str]:
    """Bring the database to the head; (version before, version after), empty where there was none."""
    try:
        with store.transaction() as connection:
            before = _version(connection)
            _refuse_newer(store, before)
            from alembic import command

            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return before, _version(connection)
    except DBAPIError as why:
        raise _unusable(store, why) from why


def require_head(store: Store) -> None:
    """Raises SchemaVersionError, saying what to run, unless the database is exactly at the head."""
    try:
        with store.reading() as connection:
            version = _version(connection)
    except DBAPIError as why:
        raise _unusable(store, why) from why
    _refuse_newer(store, version)
    if not version:
        raise SchemaVersionError(f"database {_name(store)} is empty: make its tables with: bongsu init")
    if version != head():
        raise SchemaVersionError(
            f"database {_name(store)} is at schema version {version}, this program needs {head()}: "
            "stop the collector, make a copy of the database, then run: bongsu migrate"
        )


def head() -> str:
    """The schema version this program works on."""
    steps = _steps()
    (found,) = steps.keys() - set(steps.values())
    return found


@cache
def _steps() -> dict[str, str]:
    """Each version, and the one before it; empty for the first. As the files say, which Alembic would have to run."""
    found = [dict(_REVISION.findall(file.read_text("utf-8"))) for file in (MIGRATIONS / "versions").glob("*.py")]
    return {each["revision"]: each.get("down_revision", "") for each in found if "revision" in each}


def alembic_config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def load_tables() -> None:
    """Import every noun's ``tables.py``, so that the metadata is whole whoever asks for it."""
    root = Path(__file__).parent.parent
    for file in sorted(root.glob("*/tables.py")):
        import_module(f"collector.{file.parent.name}.tables")


def _version(connection: Connection) -> str:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return ""
    found: str | None = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608
    return found or ""


def _refuse_newer(store: Store, version: str) -> None:
    if version and version not in _steps():
        raise SchemaVersionError(
            f"database {_name(store)} is at schema version {version}, which this program does not know (its newest is "
            f"{head()}): a newer program made it; install that one, or restore a copy from before"
        )


def _unusable(store: Store, why: DBAPIError) -> StoreError:
    return StoreError(f"database {_name(store)} cannot be used: {why.orig}")


def _name(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=True)
