"""Rows of agencies and systems."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table

from collector.store.schema import metadata

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
)

system_hosts = Table(
    "system_hosts",
    metadata,
    Column("system", ForeignKey("systems.id", ondelete="CASCADE"), primary_key=True),
    Column("host", ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True),
)
