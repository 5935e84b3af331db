"""Rows of pages on both databases."""

from __future__ import annotations

from databases import postgres_url, sqlite_template, store

__all__ = ["postgres_url", "sqlite_template", "store"]
