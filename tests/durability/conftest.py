"""Databases, and the way to the agent's disk model (``tests/agent``), for the tests beside this file."""

from __future__ import annotations

import sys
from pathlib import Path

from databases import postgres_url, sqlite_template, store

__all__ = ["postgres_url", "sqlite_template", "store"]

sys.path.append(str(Path(__file__).parents[1] / "agent"))
