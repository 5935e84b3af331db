"""Rows on both databases; a small collector with alerts on its stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from databases import postgres_url, sqlite_template, store
from small_alerting import Alerting, set_alerting

from collector.store.engine import Store

__all__ = ["alerting", "postgres_url", "sqlite_template", "store"]


@pytest.fixture
def alerting(store: Store, tmp_path: Path) -> Alerting:
    return set_alerting(store, tmp_path)
