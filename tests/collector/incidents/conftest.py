"""A database for each test; most stories need SQLite only, for the contract suite asks both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import postgres_url, sqlite_template, store
from told_signals import Told

from collector.store.engine import Store

__all__ = ["postgres_url", "sqlite_template", "store", "told"]


@pytest.fixture
def told(sqlite_template: Path, tmp_path: Path) -> Iterator[Told]:
    file = tmp_path / "told.db"
    shutil.copy(sqlite_template, file)
    made = Store(f"sqlite:///{file}")
    yield Told(made)
    made.close()
