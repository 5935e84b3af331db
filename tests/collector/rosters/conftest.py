"""Rows on both databases; a small collector with rosters on its stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from databases import postgres_url, sqlite_template, store
from small_rosters import ROSTERS
from stage import Stage, set_stage

from collector.rosters.roster_apply import apply_rosters
from collector.rosters.roster_file import read_rosters
from collector.store.engine import Store

__all__ = ["postgres_url", "sqlite_template", "stage", "store"]


@pytest.fixture
def stage(store: Store, tmp_path: Path) -> Stage:
    made = set_stage(store, tmp_path)
    made.person("kim", role="operator")
    with store.transaction() as connection:
        apply_rosters(connection, read_rosters(ROSTERS))
    return made
