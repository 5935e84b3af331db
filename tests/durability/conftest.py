"""Databases, a centre, and the way to the agent's disk model (``tests/agent``), for the tests beside this file."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from centre import Centre
from databases import postgres_url, sqlite_template, store
from sqlalchemy import event

from collector.store.engine import Store

__all__ = ["postgres_url", "sqlite_template", "store"]

sys.path.append(str(Path(__file__).parents[1] / "agent"))


@pytest.fixture
def quick_centre(tmp_path: Path, sqlite_template: Path) -> Iterator[Centre]:
    path = tmp_path / "bongsu.db"
    path.write_bytes(sqlite_template.read_bytes())
    made = Centre(Store(f"sqlite:///{path}"))
    # Here the centre's process is killed and never its machine, so its syncs would cost time and show nothing.
    event.listen(made.store.engine, "connect", _do_not_sync)
    made.plant()
    made.start()
    yield made
    made.stop()
    made.store.close()


def _do_not_sync(raw: sqlite3.Connection, _entry: object) -> None:
    raw.execute("PRAGMA synchronous=OFF")
