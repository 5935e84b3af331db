"""Rows of incidents, what happened in them, and the signals they stand on. Nothing of it is deleted."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from collector.store.schema import BigId, JsonText, UtcDateTime, metadata

incidents = Table(
    "incidents",
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=True),
    # Of its key and when it began: the same at a hub and at the centre.
    Column("uid", String(32), nullable=False, unique=True),
    Column("key", String(200), nullable=False),
    Column("source", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("priority", Integer, nullable=False),  # 1 the most urgent, 4 the least
    Column("reason", String(200), nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject_id", String(200), nullable=False),
    Column("site", String(64), nullable=False),  # empty = of no one site
    Column("agency", String(64), nullable=False),  # empty = the operating centre's
    Column("title_ko", String(400), nullable=False),
    Column("title_en", String(400), nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),  # 발생
    Column("opened_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=True),  # from when on somebody may be told; null = not yet
    Column("paged_at", UtcDateTime, nullable=True),  # 전파
    Column("acknowledged_at", UtcDateTime, nullable=True),  # 인지, the first
    Column("acknowledged_by", String(64), nullable=False),
    Column("acknowledged_for", String(64), nullable=False),  # 대리 인지: for whom; empty = for themselves
    Column("assignee", String(64), nullable=False),
    Column("action_at", UtcDateTime, nullable=True),  # 조치
    Column("recovered_at", UtcDateTime, nullable=True),  # 복구; null again where it came back
    Column("resolved_at", UtcDateTime, nullable=True),
    Column("closed_at", UtcDateTime, nullable=True),
    Column("snoozed_until", UtcDateTime, nullable=True),
    Column("fix_due_at", UtcDateTime, nullable=True),
    Column("returns", Integer, nullable=False),  # how often it came back
    Column("impact", JsonText, nullable=False),  # incidents.impact.Impact
    Column("evidence", JsonText, nullable=False),  # [[code, subject, value, at_ms]]
    Column("policy", JsonText, nullable=False),  # escalation.policy.freeze; frozen when it opened
    Column("cause_text", Text, nullable=False),
    Column("prevention_text", Text, nullable=False),  # 재발방지대책
    Column("is_digest", Boolean, nullable=False),
    Column("is_storm", Boolean, nullable=False),
    Column("merged_into", ForeignKey("incidents.number"), nullable=True),
)
# Those that are not over, for the job's tick and the board.
Index("ix_incidents_state", incidents.c.state, incidents.c.number)
# What a signal that comes back belonged to; similar incidents.
Index("ix_incidents_key", incidents.c.key, incidents.c.number)
Index("ix_incidents_reason", incidents.c.reason, incidents.c.number)

incident_events = Table(
    # The course of an incident, never changed once written.
    "incident_events",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("incident", ForeignKey("incidents.number", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("by", String(64), nullable=False),  # empty = the collector
    Column("data", JsonText, nullable=False),
)
Index("ix_incident_events_incident", incident_events.c.incident, incident_events.c.id)

incident_signals = Table(
    "incident_signals",
    metadata,
    Column("incident", ForeignKey("incidents.number", ondelete="CASCADE"), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("source", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),  # when this row was last written
    Column("ended_at", UtcDateTime, nullable=True),  # null = holds
    Column("labels", JsonText, nullable=False),
    Column("annotations", JsonText, nullable=False),
)
# Those that hold, read back at a start.
Index(
    "ix_incident_signals_open",
    incident_signals.c.key,
    sqlite_where=incident_signals.c.ended_at.is_(None),
    postgresql_where=incident_signals.c.ended_at.is_(None),
)

incident_reach = Table(
    # Whose places it touches, so that a tenant finds what is not theirs alone. Site empty = a system of the agency.
    "incident_reach",
    metadata,
    Column("incident", ForeignKey("incidents.number", ondelete="CASCADE"), primary_key=True),
    Column("agency", String(64), primary_key=True),
    Column("site", String(64), primary_key=True),
)

incident_books = Table(
    # One row: what the next look needs of the last ones. Whoever writes incidents by signals locks it first.
    "incident_books",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("content", JsonText, nullable=False),  # when events came, whether there is a storm
)
