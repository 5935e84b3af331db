"""Rows of verdicts: what is, and every change of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, text

from collector.store.schema import BigId, JsonText, metadata

states = Table(
    # The newest state of everything judged; a restart takes "since" from here.
    "states",
    metadata,
    Column("kind", String(16), primary_key=True),  # site, host, agent, link, hub, system, interface
    Column("id", String(129), primary_key=True),
    Column("state", Integer, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("reason", String(64), nullable=False),
    # What it lies behind, as hub:mea; empty = its own.
    Column("cause", String(160), nullable=False, default="", server_default=text("''")),
)

verdict_memory = Table(
    # What the next judgement needs of the last ones besides states, so that a restart changes no verdict: one row a part.
    "verdict_memory",
    metadata,
    Column("part", String(16), primary_key=True),
    Column("content", JsonText, nullable=False),
)

failing_checks = Table(
    # Every check that is not ok, with its words: an agent says them once, when the check changes, so that a restart
    # would forget since when and why.
    "failing_checks",
    metadata,
    Column("host", String(129), primary_key=True),
    Column("check_name", String(256), primary_key=True),
    Column("state", Integer, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
)

state_changes = Table(
    # Never changed once written: history, evidence and, later, what alerts stand on.
    "state_changes",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("subject", String(129), nullable=False),
    Column("from_state", Integer, nullable=True),  # null = nothing was known before
    Column("to_state", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("cause", String(160), nullable=False, default="", server_default=text("''")),
)
# One thing's changes in order of time, for its page and its availability.
Index("ix_state_changes_subject", state_changes.c.kind, state_changes.c.subject, state_changes.c.at_ms)
