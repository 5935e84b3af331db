"""Rows of timers, of policies, and of summons. A timer that is done stays, to be asked why."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from collector.store.schema import BigId, JsonText, UtcDateTime, metadata

timers = Table(
    "timers",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    # Null = of no incident, as a test page's.
    Column("incident", ForeignKey("incidents.number", ondelete="CASCADE"), nullable=True),
    Column("kind", String(16), nullable=False),  # escalation.timer.KINDS
    Column("step", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime, nullable=True),
)
# What is due: asked each second, while nearly every row is done.
Index(
    "ix_timers_due",
    timers.c.due_at,
    sqlite_where=timers.c.done_at.is_(None),
    postgresql_where=timers.c.done_at.is_(None),
)
# An incident's timers, to cancel or move them.
Index("ix_timers_incident", timers.c.incident)

escalation_policy = Table(
    # What ``bongsu apply`` took over: one row, the whole file. None = the shipped one.
    "escalation_policy",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("definition", JsonText, nullable=False),
)

summons = Table(
    # Who was called in (비상소집), and whether they answered.
    "summons",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("incident", ForeignKey("incidents.number", ondelete="CASCADE"), nullable=False),
    Column("team", String(64), nullable=False),
    Column("person", String(64), nullable=False),
    Column("channels", JsonText, nullable=False),
    Column("called_at", UtcDateTime, nullable=False),
    Column("reply", String(16), nullable=False),  # coming, cannot; empty = none yet
    Column("replied_at", UtcDateTime, nullable=True),
    Column("way", String(16), nullable=False),  # by which they answered; empty = not
)
Index("ix_summons_incident", summons.c.incident, summons.c.person)
