"""Fixture ``archive``: an intake with history behind it, on either database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from archive import Archive
from databases import postgres_url, sqlite_template, store

from collector.store.engine import Store

__all__ = ["postgres_url", "sqlite_template", "store"]


@pytest.fixture
def archive(store: Store) -> Iterator[Archive]:
    made = Archive(store)
    yield made
    made.centre.stop()
