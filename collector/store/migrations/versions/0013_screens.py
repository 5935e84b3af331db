"""What screens keep: what people say of a system while it is out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outage_notes",
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("workaround", sa.String(length=500), nullable=False),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_by", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["system"], ["systems.id"], name=op.f("fk_outage_notes_system_systems"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_outage_notes")),
    )
