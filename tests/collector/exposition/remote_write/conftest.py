"""Fixture ``archive``: an intake with history behind it, on SQLite; ``archive_on_both`` on either database."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import postgres_url, sqlite_template, store

from collector.store.engine import Store

sys.path.insert(0, str(Path(__file__).parents[2] / "history"))

from archive import Archive

__all__ = ["postgres_url", "sqlite_template", "store"]


@pytest.fixture
def archive(sqlite_template: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copy(sqlite_template, tmp_path / "bongsu.db")
    made = Archive(Store(f"sqlite:///{tmp_path / 'bongsu.db'}"))
    yield made
    made.centre.stop()
    made.store.close()


@pytest.fixture
def archive_on_both(store: Store) -> Iterator[Archive]:
    """For what depends on the database."""
    made = Archive(store)
    yield made
    made.centre.stop()
