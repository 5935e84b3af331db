"""Fixture ``centre``: an intake on either database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from centre import Centre
from databases import postgres_url, sqlite_template, store

from collector.store.engine import Store

__all__ = ["postgres_url", "sqlite_template", "store"]


@pytest.fixture
def centre(store: Store) -> Iterator[Centre]:
    made = Centre(store)
    made.plant()
    made.start()
    yield made
    made.stop()
