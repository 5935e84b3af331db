"""Rows of the log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, false

from collector.store.schema import BigId, metadata

envelopes = Table(
    "envelopes",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("agent_id", LargeBinary(16), nullable=False),
    Column("epoch", LargeBinary(8), nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("received_at_ms", BigInteger, nullable=False),
    # MessagePack [seqs, hashes, future]: the numbers this envelope brought first (others in it are duplicates), 16
    # bytes of content hash for each in the same order, and those of them taken too far in the future.
    Column("accepted", LargeBinary, nullable=False),
    Column("packed", LargeBinary, nullable=False),  # MessagePack [header, signature, body] as received
    # Waits for a schema nobody has brought yet: durable and acknowledged, but not read by anyone until it is here.
    Column("is_parked", Boolean, nullable=False, default=False, server_default=false()),
    Column("is_chunked", Boolean, nullable=False, default=False, server_default=false()),
    # Its newest record was no longer of now when it was received: a hub sends it on after what is.
    Column("is_late", Boolean, nullable=False, default=False, server_default=false()),
)
# Each row is in exactly one of two indexes: an agent's rows lie far apart in an index, so every index that a new row
# enters costs the commit a page. New rows enter one; the chunk job moves an agent's rows to the other sixty at a time.
_UNCHUNKED = ~envelopes.c.is_chunked & ~envelopes.c.is_parked
_SETTLED = envelopes.c.is_chunked | envelopes.c.is_parked
# What history has not taken yet: how much per agent, how old, and an agent's newest minutes for a query. The flags are
# in it because SQLite otherwise reads every row to see them again.
Index(
    "ix_envelopes_unchunked",
    envelopes.c.agent_id,
    envelopes.c.received_at_ms,
    envelopes.c.is_chunked,
    envelopes.c.is_parked,
    sqlite_where=_UNCHUNKED,
    postgresql_where=_UNCHUNKED,
)
# With the one above it finds the envelope that brought a number, to tell a replay from a fork; and what is parked.
Index(
    "ix_envelopes_settled",
    envelopes.c.agent_id,
    envelopes.c.epoch,
    envelopes.c.first_seq,
    sqlite_where=_SETTLED,
    postgresql_where=_SETTLED,
)

schemas = Table(
    "schemas",
    metadata,
    Column("hash", LargeBinary(16), primary_key=True),
    Column("packed", LargeBinary, nullable=False),
)

wanted_schemas = Table(
    # Hashes that envelopes in the log use and nobody has brought yet: only these are taken by POST /v1/schemas.
    "wanted_schemas",
    metadata,
    Column("hash", LargeBinary(16), primary_key=True),
    Column("agent_id", LargeBinary(16), primary_key=True),
    Column("asked_at_ms", BigInteger, nullable=False),
)

losses = Table(
    # Numbers that will never be stored: declared by the agent, or acknowledged and dropped here (older than retention).
    "losses",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("agent_id", LargeBinary(16), nullable=False),
    Column("epoch", LargeBinary(8), nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
Index("ix_losses_name", losses.c.agent_id, losses.c.epoch)

positions = Table(
    # Per agent and epoch: what is held and what is lost, as of the checkpoint. The ranges are kept for ever: they are
    # a few bytes, and they make duplicates recognisable without a time window.
    "positions",
    metadata,
    Column("agent_id", LargeBinary(16), primary_key=True),
    Column("epoch", LargeBinary(8), primary_key=True),
    Column("held", LargeBinary, nullable=False),  # MessagePack [[a, b], ...]
    Column("lost", LargeBinary, nullable=False),
    Column("first_received_at_ms", BigInteger, nullable=False),
    Column("last_received_at_ms", BigInteger, nullable=False),
)

checkpoint = Table(
    "log_checkpoint",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("envelope_id", BigInteger, nullable=False),
    Column("loss_id", BigInteger, nullable=False),
)
