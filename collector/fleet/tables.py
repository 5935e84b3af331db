"""Rows of the fleet.

``managed_by`` says who owns a row: ``file`` (the topology file; a host or site gone from the file goes from here) or
``enrolment`` (made when an agent joined; the file may adopt it).
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, LargeBinary, String, Table

from collector.store.schema import UtcDateTime, metadata

hubs = Table(
    "hubs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name_ko", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
)

sites = Table(
    "sites",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("agency", ForeignKey("agencies.id"), nullable=False, index=True),
    Column("hub", ForeignKey("hubs.id"), nullable=True, index=True),
    Column("name_ko", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("latitude", Float, nullable=True),
    Column("longitude", Float, nullable=True),
    Column("timezone", String(64), nullable=False),
    Column("link_profile", String(16), nullable=False),
)

hosts = Table(
    "hosts",
    metadata,
    Column("id", String(129), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("site", ForeignKey("sites.id"), nullable=False, index=True),
    Column("agency", ForeignKey("agencies.id"), nullable=False, index=True),
    Column("is_shared", Boolean, nullable=False, default=False),
    Column("role", String(64), nullable=False, default=""),
    Column("managed_by", String(16), nullable=False),
    Column("agent_id", LargeBinary(16), nullable=True, index=True),
    # Host id of the agent that is to speak for this one (agentless targets); bound when that agent enrols.
    Column("via", String(129), nullable=False, default=""),
)

agents = Table(
    "agents",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("site", ForeignKey("sites.id"), nullable=False, index=True),
    Column("host", String(129), nullable=False),
    Column("status", String(16), nullable=False),  # active, suspended, revoked
    Column("enrolled_at", UtcDateTime, nullable=False),
    Column("status_at", UtcDateTime, nullable=False),
)

agent_keys = Table(
    "agent_keys",
    metadata,
    Column("agent_id", ForeignKey("agents.id"), primary_key=True),
    Column("key_no", Integer, primary_key=True),
    Column("public_key", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)

join_tokens = Table(
    "join_tokens",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("token_id", LargeBinary(8), nullable=False, unique=True),
    Column("site", ForeignKey("sites.id"), nullable=False),
    Column("host", String(64), nullable=False, default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=True),
    Column("used_key", LargeBinary(32), nullable=True),
    Column("agent_id", LargeBinary(16), nullable=True),
    Column("cancelled_at", UtcDateTime, nullable=True),
)

fleet_version = Table(
    # One row. Every transaction that changes agencies, systems, hubs, sites, hosts, agents or keys adds one to it;
    # the intake's group commit reads it, so a revocation holds for the very next commit, whoever made it.
    "fleet_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)
