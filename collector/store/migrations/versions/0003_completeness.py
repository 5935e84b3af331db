"""What came, what came late and what is lost; what agents are to do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("sites", "hosts"):
        op.add_column(table, sa.Column("tags", sa.Text(), server_default="[]", nullable=False))
    op.create_table(
        "policies",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sites", sa.Text(), nullable=True),
        sa.Column("roles", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("link_profile", sa.String(length=16), nullable=True),
        sa.Column("interval_seconds", sa.Integer(), nullable=True),
        sa.Column("checks", sa.Text(), nullable=True),
        sa.Column("processes", sa.Text(), nullable=True),
        sa.Column("probes", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
    )
    op.create_table(
        "agent_policies",
        sa.Column("agent_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_agent_policies")),
    )
    _completeness()


def _completeness() -> None:
    op.create_table(
        "host_hours",
        sa.Column("host", sa.String(length=129), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("interval_ms", sa.Integer(), nullable=False),
        sa.Column("eligible_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("host", "hour_ms", name=op.f("pk_host_hours")),
    )
    op.create_index("ix_host_hours_hour", "host_hours", ["hour_ms"], unique=False)
    op.create_index("ix_host_hours_site", "host_hours", ["site", "hour_ms"], unique=False)
    op.create_table(
        "sequence_hours",
        sa.Column("agent_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("epoch", sa.LargeBinary(length=8), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("first_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "epoch", "hour_ms", name=op.f("pk_sequence_hours")),
    )
    op.create_index("ix_sequence_hours_hour", "sequence_hours", ["hour_ms"], unique=False)
    op.create_table(
        "lost_hours",
        sa.Column("agent_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("epoch", sa.LargeBinary(length=8), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("numbers", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "epoch", "hour_ms", "kind", name=op.f("pk_lost_hours")),
    )
    op.create_index("ix_lost_hours_site", "lost_hours", ["site", "hour_ms"], unique=False)
    op.create_table(
        "gaps",
        sa.Column("agent_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("epoch", sa.LargeBinary(length=8), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "epoch", "first_seq", name=op.f("pk_gaps")),
    )
    op.create_table(
        "completeness_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("settled_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completeness_mark")),
    )
