"""Rows of access. Secrets are only kept as hashes: a copy of the database signs nobody in.

``agencies`` and ``sites`` limit what may be seen: NULL = all, else a list of ids.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, text

from collector.store.schema import BigId, JsonText, UtcDateTime, metadata

persons = Table(
    "persons",
    metadata,
    Column("username", String(64), primary_key=True),
    Column("display_name", String(200), nullable=False),
    Column("password_hash", String(255), nullable=False),  # argon2id, in its own text form
    Column("role", String(16), nullable=False),  # one of collector.access.roles
    Column("language", String(8), nullable=False),  # ko, en; empty = as the browser asks
    Column(
        "timezone", String(64), nullable=False, default="", server_default=text("''")
    ),  # empty = as the roster file says
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
    Column("seen_at", UtcDateTime, nullable=True),  # to some minutes; null = not since it began
    Column("address", String(64), nullable=False, default="", server_default=text("''")),  # it began from
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

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # no hole: the next is the last and one
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("actor", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("data", JsonText, nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

audit_tip = Table(  # one row: the end of the chain, and the lock by which several collectors take their turn
    "audit_tip",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

audit_heads = Table(  # signed: how far the chain had come (head), or up to where it was let go by age (cut)
    "audit_heads",
    metadata,
    Column("kind", String(8), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
)
