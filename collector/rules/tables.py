"""Rows of rules: the alerts there are, with their timers, and those that were over before anybody could know."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, LargeBinary, String, Table, Text

from collector.store.schema import BigId, metadata

rule_alerts = Table(
    # Every alert that is pending, firing or lately resolved; written when it changes, read when a collector starts.
    "rule_alerts",
    metadata,
    Column("rule_group", String(300), primary_key=True),
    Column("rule", String(300), primary_key=True),
    Column("fingerprint", LargeBinary(16), primary_key=True),  # of the labels
    Column("labels", Text, nullable=False),  # JSON, pairs in order of their names
    Column("annotations", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("value", Float, nullable=True),  # null = NaN, which one of the databases cannot keep
    Column("active_at_ms", BigInteger, nullable=False),
    Column("fired_at_ms", BigInteger, nullable=True),
    Column("keep_firing_since_ms", BigInteger, nullable=True),
    Column("resolved_at_ms", BigInteger, nullable=True),
)

rule_groups = Table(
    # When each group was last evaluated: after a restart it goes on from there.
    "rule_groups",
    metadata,
    Column("rule_group", String(300), primary_key=True),
    Column("evaluated_at_ms", BigInteger, nullable=False),
)

past_alerts = Table(
    # What fired and ended only in reports that came late; told once, in a digest.
    "past_alerts",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("rule_group", String(300), nullable=False),
    Column("rule", String(300), nullable=False),
    Column("fingerprint", LargeBinary(16), nullable=False),  # of the labels
    Column("labels", Text, nullable=False),
    Column("annotations", Text, nullable=False),
    Column("value", Float, nullable=True),
    Column("active_at_ms", BigInteger, nullable=False),
    Column("fired_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=False),
    Column("found_at_ms", BigInteger, nullable=False),
    Column("told_at_ms", BigInteger, nullable=True),  # null = in no digest yet
)
Index("ix_past_alerts_told", past_alerts.c.told_at_ms)
Index("ix_past_alerts_fingerprint", past_alerts.c.fingerprint)

late_reports = Table(
    # Sites whose reports came late, and of which time: rules are still to be asked about it.
    "late_reports",
    metadata,
    Column("site", String(64), primary_key=True),
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger, nullable=False),
    Column("first_seen_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
)
