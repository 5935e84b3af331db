"""Rows of rules: the alerts there are, with their timers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, LargeBinary, String, Table, Text

from collector.store.schema import metadata

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
