"""Alerts and their timers, and the collector's own series over time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_alerts",
        sa.Column("rule_group", sa.String(length=300), nullable=False),
        sa.Column("rule", sa.String(length=300), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("active_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("fired_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("keep_firing_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("rule_group", "rule", "fingerprint", name=op.f("pk_rule_alerts")),
    )
    op.create_table(
        "rule_groups",
        sa.Column("rule_group", sa.String(length=300), nullable=False),
        sa.Column("evaluated_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rule_group", name=op.f("pk_rule_groups")),
    )
    op.create_table(
        "own_layouts",
        sa.Column("hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_own_layouts")),
    )
    op.create_table(
        "own_samples",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("stream", sa.String(length=300), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("layout", sa.LargeBinary(length=16), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("times", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_samples")),
    )
    op.create_index("ix_own_samples_stream_time", "own_samples", ["stream", "to_ms"], unique=False)
    op.create_index("ix_own_samples_to_ms", "own_samples", ["to_ms"], unique=False)
