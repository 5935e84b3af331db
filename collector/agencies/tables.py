"""Rows of agencies and systems."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table

from collector.store.schema import BigId, JsonText, UtcDateTime, metadata

agencies = Table(
    "agencies",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name_ko", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
)

systems = Table(
    "systems",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("agency", ForeignKey("agencies.id"), nullable=False, index=True),
    Column("name_ko", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("grade", Integer, nullable=False),
    # [{name, rule, members}] and ids of systems; ``system_hosts`` has every host of them.
    Column("groups", JsonText, nullable=False, default=(), server_default="[]"),
    Column("depends_on", JsonText, nullable=False, default=(), server_default="[]"),
    Column("uses", JsonText, nullable=False, default=(), server_default="[]"),
)

interfaces = Table(
    # What one system hands to another (연계), with an owner at each end.
    "interfaces",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name_ko", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("source", ForeignKey("systems.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("target", ForeignKey("systems.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("source_owner", ForeignKey("agencies.id"), nullable=False),
    Column("target_owner", ForeignKey("agencies.id"), nullable=False),
    Column("check", String(400), nullable=False),
)

system_hosts = Table(
    "system_hosts",
    metadata,
    Column("system", ForeignKey("systems.id", ondelete="CASCADE"), primary_key=True),
    Column("host", ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True),
)

outage_notes = Table(
    # What people say of a system while it is out: how one gets by meanwhile, and when it is expected back.
    "outage_notes",
    metadata,
    Column("system", ForeignKey("systems.id", ondelete="CASCADE"), primary_key=True),
    Column("workaround", String(500), nullable=False),
    Column("expected_at", UtcDateTime, nullable=True),
    Column("noted_at", UtcDateTime, nullable=False),
    Column("noted_by", String(200), nullable=False),
)

crisis_levels = Table(
    # The crisis alert level (위기경보) as people declared it; the newest row holds.
    "crisis_levels",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("level", String(16), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    Column("set_by", String(200), nullable=False),
    Column("note", String(500), nullable=False),
)
