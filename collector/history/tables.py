"""Rows of history."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from collector.store.schema import BigId, metadata

chunks = Table(
    # Samples of one agent's epoch under one schema, in order of time; never changed once written.
    "chunks",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("agent_id", LargeBinary(16), nullable=False),
    Column("epoch", LargeBinary(8), nullable=False),
    Column("schema_hash", LargeBinary(16), nullable=False),
    Column("host", String(129), nullable=False),  # the first host the schema names, for people who look at rows
    Column("from_ms", BigInteger, nullable=False),  # corrected times, half-open [from_ms, to_ms)
    Column("to_ms", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("flags", Integer, nullable=False, default=0),  # format of the blobs: 0 samples, 1 roll-ups (rolled.py)
    Column("times", LargeBinary, nullable=False),
    Column("seqs", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
# The query's: a host's schemas between two instants.
Index("ix_chunks_schema_time", chunks.c.schema_hash, chunks.c.to_ms)
# Retention's: what ended long ago.
Index("ix_chunks_to_ms", chunks.c.to_ms)
