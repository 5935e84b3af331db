"""Rows of people, their addresses, and teams. ``agency`` empty = of the operating centre, seen by every agency."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table

from collector.store.schema import JsonText, UtcDateTime, metadata

people = Table(
    "people",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name_ko", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("login", String(64), nullable=False, index=True),  # user name; empty = has none
    Column("agency", String(64), nullable=False),
    Column("languages", JsonText, nullable=False),  # the first is the one to write in
    Column("timezone", String(64), nullable=False),
    Column("quiet_hours", String(16), nullable=False),  # 23:00-07:00 in that zone; empty = none
)

people_contacts = Table(
    "people_contacts",
    metadata,
    Column("person", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("address", String(400), primary_key=True),
    Column("position", Integer, nullable=False),  # in the order to try them
    Column("verified_at", UtcDateTime, nullable=True),
)

teams = Table(
    "teams",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name_ko", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("agency", String(64), nullable=False),
)

team_members = Table(
    "team_members",
    metadata,
    Column("team", ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("person", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
)

contact_codes = Table(  # a code that was sent to an address to see whether it reaches the person; used once
    "contact_codes",
    metadata,
    Column("person", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("address", String(400), primary_key=True),
    Column("code_hash", LargeBinary(32), nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("created_by", String(64), nullable=False),
)
