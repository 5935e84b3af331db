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

own_layouts = Table(
    # Which series the collector's own samples hold, in which order: the prefix of each line of exposition text.
    "own_layouts",
    metadata,
    Column("hash", LargeBinary(16), primary_key=True),
    Column("packed", LargeBinary, nullable=False),
)

own_samples = Table(
    # What the collector says itself (states of sites, results of rules, its own numbers), sample by sample, later
    # many samples of one layout together; never changed once written.
    "own_samples",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("stream", String(300), nullable=False),  # what is sampled together: a newer sample ends what it leaves out
    Column("flags", Integer, nullable=False, default=0),  # 0 every sample, 1 the last of each five minutes
    Column("layout", LargeBinary(16), nullable=False),
    Column("from_ms", BigInteger, nullable=False),  # half-open [from_ms, to_ms)
    Column("to_ms", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("times", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
# The query's and the compaction's: a stream's samples between two instants.
Index("ix_own_samples_stream_time", own_samples.c.stream, own_samples.c.to_ms)
# Retention's.
Index("ix_own_samples_to_ms", own_samples.c.to_ms)
