"""Fixture ``ledger``: history and its completeness on either database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from counted import Counted
from databases import postgres_url, sqlite_template, store

from collector.store.engine import Store

__all__ = ["postgres_url", "sqlite_template", "store"]


@pytest.fixture
def counted(store: Store) -> Iterator[Counted]:
    made = Counted(store)
    yield made
    made.centre.stop()
