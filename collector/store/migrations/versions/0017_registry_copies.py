"""Which sites are custodians, the copies of the registry that hubs there keep, and what the centre knows of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from collector.store.schema import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sites", sa.Column("is_custodian", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("hub_keys", sa.Column("copy_version", sa.BigInteger(), nullable=True))
    op.add_column("hub_keys", sa.Column("copy_at", UtcDateTime(), nullable=True))
    op.create_table(
        "registry_copy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_copy")),
    )
