"""Everything the first release keeps."""

from __future__ import annotations

from alembic import op

from collector.store.migrate import load_tables
from collector.store.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    load_tables()
    metadata.create_all(op.get_bind())
    op.execute("INSERT INTO fleet_version (id, version) VALUES (1, 0)")
