"""Rows of access. Secrets are only kept as hashes: a copy of the database signs nobody in.

``agencies`` and ``sites`` limit what may be seen: NULL = all, else a list of ids.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, LargeBinary, String, Table

from collector.store.schema import BigId, UtcDateTime, metadata

persons = Table(
    "persons",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("display_name", String(200), nullable=False),
    Column("password_hash", String(255), nullable=False),  # argon2id, in its own text form
    Column("role", String(16), nullable=False),  # admin, operator, viewer
    Column("language", String(8), nullable=False),  # ko, en; empty = as the browser asks
    Column("agencies", JSON(none_as_null=True), nullable=True),
    Column("sites", JSON(none_as_null=True), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("username", ForeignKey("persons.username", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("agencies", JSON(none_as_null=True), nullable=True),
    Column("sites", JSON(none_as_null=True), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=True),
    Column("used_at", UtcDateTime, nullable=True),
    Column("revoked_at", UtcDateTime, nullable=True),
)
