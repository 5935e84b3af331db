"""Fixtures ``region``, a centre and a hub on SQLite, and ``store``, a database of either kind for rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import postgres_url, sqlite_template, store
from region import Region

__all__ = ["postgres_url", "region", "sqlite_template", "store"]


@pytest.fixture
def region(tmp_path: Path, sqlite_template: Path) -> Iterator[Region]:
    made = Region(tmp_path, sqlite_template)
    made.hub.turn()
    yield made
    made.end()
