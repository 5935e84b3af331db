"""Every test of rows here runs on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from databases import postgres_url, sqlite_template, store
from stage import Stage, set_stage

from collector.store.engine import Store

__all__ = ["postgres_url", "sqlite_template", "stage", "store"]


@pytest.fixture
def stage(store: Store, tmp_path: Path) -> Stage:
    return set_stage(store, tmp_path)
