"""Every test of rows here runs on both databases; ``stage`` is a small collector around one."""

from __future__ import annotations

from databases import postgres_url, sqlite_template, store

__all__ = ["postgres_url", "sqlite_template", "store"]
