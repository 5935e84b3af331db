"""Rows of the exposition: how far what is sent on has come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

from collector.store.schema import metadata

remote_write = Table(
    # One row for each destination that was ever written to, by its name in the settings.
    "remote_write",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("done", LargeBinary, nullable=False),  # MessagePack [[a, b], ...] of envelopes.id: sent, or not to be sent
    Column("saved_at_ms", BigInteger, nullable=False),
)
