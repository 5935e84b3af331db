"""Fixture ``centre``: an intake on SQLite; what is exposed does not depend on the database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from centre import Centre
from databases import sqlite_template

from collector.store.engine import Store

__all__ = ["sqlite_template"]


@pytest.fixture
def centre(sqlite_template: Path, tmp_path: Path) -> Iterator[Centre]:
    shutil.copy(sqlite_template, tmp_path / "bongsu.db")
    made = Centre(Store(f"sqlite:///{tmp_path / 'bongsu.db'}"))
    made.plant()
    made.start()
    yield made
    made.stop()
    made.store.close()
