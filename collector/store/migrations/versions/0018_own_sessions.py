"""From where a session began and when it was last used, for whoever looks through their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from collector.store.schema import UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("seen_at", UtcDateTime(), nullable=True))
    op.add_column("sessions", sa.Column("address", sa.String(length=64), server_default=sa.text("''"), nullable=False))
