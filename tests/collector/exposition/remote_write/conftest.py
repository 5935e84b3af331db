"""Fixture ``archive``: an intake with history behind it, on either database."""

from __future__ import annotations

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
def archive(store: Store) -> Iterator[Archive]:
    made = Archive(store)
    yield made
    made.centre.stop()
