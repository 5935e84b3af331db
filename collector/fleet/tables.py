"""Rows of the fleet.

``managed_by`` says who owns a row: ``file`` (the topology file; a host or site gone from the file goes from here),
``import`` (a list of hosts taken over whole; the file may adopt one), ``enrolment`` (made when an agent joined; file and
list may adopt it) or, on a hub, ``registry`` (the centre's).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Integer, LargeBinary, String, Table, false, text

from collector.store.schema import JsonText, UtcDateTime, metadata

hubs = Table(
    "hubs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name_ko", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    # Where its sites' agents reach it; empty = join tokens of its sites name the centre alone.
    Column("url", String(200), nullable=False, default="", server_default=text("''")),
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
    Column("tags", JsonText, nullable=False, default=(), server_default="[]"),
    Column("facility", String(64), nullable=False, default="", server_default=text("''")),
    Column("behind", JsonText, nullable=False, default=(), server_default="[]"),
    Column("is_collector", Boolean, nullable=False, default=False, server_default=false()),
    # The site's hub stands here and keeps a copy of the whole registry.
    Column("is_custodian", Boolean, nullable=False, default=False, server_default=false()),
    Column("country", String(2), nullable=False, default="", server_default=text("''")),
    Column("subdivision", String(8), nullable=False, default="", server_default=text("''")),
    Column("weekend", JsonText, nullable=False, default=(), server_default="[]"),
    Column("korean_days", JsonText, nullable=False, default=(), server_default="[]"),
    Column("closures", JsonText, nullable=False, default=(), server_default="[]"),
    Column("business_hours", String(16), nullable=False, default="09:00-18:00", server_default="09:00-18:00"),
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
    Column("tags", JsonText, nullable=False, default=(), server_default="[]"),
    # Shared devices it is reached through: host ids.
    Column("behind", JsonText, nullable=False, default=(), server_default="[]"),
)

links = Table(
    "links",
    metadata,
    Column("id", String(129), primary_key=True),  # SITE/NAME
    Column("site", ForeignKey("sites.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("carrier", String(64), nullable=False),
    Column("cable", String(64), nullable=False),
    Column("rtt_ms_limit", Float, nullable=True),
    Column("loss_ratio_limit", Float, nullable=True),
    Column("test_days", Integer, nullable=False),
)

probes = Table(
    # What the series probe_success{target="…"} of a host says something about: one of site, link, hub and of_host.
    "probes",
    metadata,
    Column("id", String(400), primary_key=True),  # HOST>TARGET
    Column("host", String(129), nullable=False),
    Column("target", String(256), nullable=False),
    Column("site", String(64), nullable=False),
    Column("link", String(129), nullable=False),
    Column("hub", String(64), nullable=False),
    Column("of_host", String(129), nullable=False),
    Column("is_anchor", Boolean, nullable=False),
)

agents = Table(
    "agents",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("site", ForeignKey("sites.id"), nullable=False, index=True),
    Column("host", String(129), nullable=False),
    Column("status", String(16), nullable=False),  # active, suspended, revoked; on a hub also provisional
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

policies = Table(
    # [[policies]] of the topology file, at the centre only. Null = the policy does not say.
    "policies",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),  # in the file: later ones win, key by key
    Column("sites", JsonText, nullable=True),
    Column("roles", JsonText, nullable=True),
    Column("tags", JsonText, nullable=True),
    Column("link_profile", String(16), nullable=True),
    Column("interval_seconds", Integer, nullable=True),
    Column("checks", JsonText, nullable=True),
    Column("processes", JsonText, nullable=True),
    Column("probes", JsonText, nullable=True),
)

agent_policies = Table(
    # Each agent's policy as the centre signed it: written there by a job, on a hub with the registry it pulls.
    "agent_policies",
    metadata,
    Column("agent_id", LargeBinary(16), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("packed", LargeBinary, nullable=False),  # MessagePack [payload, signature], see agent/link/policy.py
)

hub_keys = Table(
    # The hubs that joined this centre, one row for each time one did: a hub set up anew is another identity.
    "hub_keys",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("hub", ForeignKey("hubs.id"), nullable=False, index=True),
    Column("key_no", Integer, nullable=False),
    Column("public_key", LargeBinary(32), nullable=False, unique=True),
    Column("status", String(16), nullable=False),  # active, suspended, revoked
    Column("enrolled_at", UtcDateTime, nullable=False),
    Column("status_at", UtcDateTime, nullable=False),
    Column("contact_at", UtcDateTime, nullable=True),  # written now and then; memory has the newest
    # The copy of the whole registry it holds, as it said: of which version, and when that was last all there was.
    Column("copy_version", BigInteger, nullable=True),
    Column("copy_at", UtcDateTime, nullable=True),
)

hub_tokens = Table(
    "hub_tokens",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("token_id", LargeBinary(8), nullable=False, unique=True),
    Column("hub", ForeignKey("hubs.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=True),
    Column("used_key", LargeBinary(32), nullable=True),
    Column("hub_key_id", LargeBinary(16), nullable=True),
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
