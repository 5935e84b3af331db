"""Rows of rosters. ``definition`` is what the file says; the other tables belong to pages and the API."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table, Text

from collector.store.schema import BigId, JsonText, UtcDateTime, metadata

rosters = Table(
    "rosters",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("agency", String(64), nullable=False),  # empty = the operating centre's
    Column("definition", JsonText, nullable=False),
)

roster_overrides = Table(
    # A substitution (both people), an absence (only the first) or somebody more (only the second).
    "roster_overrides",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("roster", ForeignKey("rosters.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("layer", String(64), nullable=False),  # empty = every layer
    Column("person_out", String(64), nullable=False),
    Column("person_in", String(64), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False, index=True),
    Column("reason", String(200), nullable=False),
    Column("source", String(255), nullable=False),  # of an imported one what its calendar calls it; else empty
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("cancelled_at", UtcDateTime, nullable=True),
)

roster_days_off = Table(
    # Days off besides those of the calendar, from an imported calendar.
    "roster_days_off",
    metadata,
    Column("roster", ForeignKey("rosters.id", ondelete="CASCADE"), primary_key=True),
    Column("day", String(10), primary_key=True),  # 2026-11-22
    Column("name", String(200), nullable=False),
)

roster_feeds = Table(
    # Addresses of calendars. Only the hash is kept: the address is the secret.
    "roster_feeds",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("hash", LargeBinary(32), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # roster, team, person
    Column("subject", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("revoked_at", UtcDateTime, nullable=True),
)

handovers = Table(
    # What one shift tells the next (인수인계). It outlives the roster: it is a record.
    "handovers",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("roster", String(64), nullable=False, index=True),
    Column("from_people", JsonText, nullable=False),
    Column("to_people", JsonText, nullable=False),
    Column("changes_at", UtcDateTime, nullable=True),  # the change of shifts it is for
    Column("note", Text, nullable=False),
    Column("failing", JsonText, nullable=False),  # [[site|host, id, state, reason, since_ms]] when it was written
    Column("written_at", UtcDateTime, nullable=False),
    Column("written_by", String(64), nullable=False),
    Column("received_at", UtcDateTime, nullable=True),
    Column("received_by", String(64), nullable=False),
)
