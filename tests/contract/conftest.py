"""The contract suite runs on both databases: one set of promises, two stores that keep them."""

from __future__ import annotations

from databases import postgres_url, sqlite_template, store

__all__ = ["postgres_url", "sqlite_template", "store"]
