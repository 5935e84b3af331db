"""By which clock, besides Korea's, whoever signs in reads times."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("persons", sa.Column("timezone", sa.String(length=64), server_default=sa.text("''"), nullable=False))
