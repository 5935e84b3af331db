"""What a hub and its centre keep of each other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from collector.store.schema import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hubs", sa.Column("url", sa.String(200), server_default=sa.text("''"), nullable=False))
    op.add_column("envelopes", sa.Column("is_late", sa.Boolean(), server_default=sa.false(), nullable=False))
    _at_the_centre()
    _at_a_hub()


def _at_the_centre() -> None:
    op.create_table(
        "hub_keys",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("hub", sa.String(64), nullable=False),
        sa.Column("key_no", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("enrolled_at", UtcDateTime(), nullable=False),
        sa.Column("status_at", UtcDateTime(), nullable=False),
        sa.Column("contact_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["hub"], ["hubs.id"], name=op.f("fk_hub_keys_hub")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_keys")),
        sa.UniqueConstraint("public_key", name=op.f("uq_hub_keys_public_key")),
    )
    op.create_index(op.f("ix_hub_keys_hub"), "hub_keys", ["hub"])
    op.create_table(
        "hub_tokens",
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("token_id", sa.LargeBinary(8), nullable=False),
        sa.Column("hub", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("used_key", sa.LargeBinary(32), nullable=True),
        sa.Column("hub_key_id", sa.LargeBinary(16), nullable=True),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["hub"], ["hubs.id"], name=op.f("fk_hub_tokens_hub")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_hub_tokens")),
        sa.UniqueConstraint("token_id", name=op.f("uq_hub_tokens_token_id")),
    )


def _at_a_hub() -> None:
    op.create_table(
        "relay_position",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("settled", sa.LargeBinary(), nullable=False),
        sa.Column("receiver_id", sa.String(64), nullable=False),
        sa.Column("receiver_epoch", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay_position")),
    )
    op.create_table(
        "receipts",
        sa.Column("agent_id", sa.LargeBinary(16), nullable=False),
        sa.Column("epoch", sa.LargeBinary(8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "epoch", name=op.f("pk_receipts")),
    )
    op.create_table(
        "relay_refusals",
        sa.Column("agent_id", sa.LargeBinary(16), nullable=False),
        sa.Column("epoch", sa.LargeBinary(8), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "epoch", "first_seq", "last_seq", name=op.f("pk_relay_refusals")),
    )
    op.create_table(
        "registry_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_state")),
    )
    op.create_table(
        "spent_tokens",
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_spent_tokens")),
    )
    op.create_table(
        "admissions",
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("agent_id", sa.LargeBinary(16), nullable=False),
        sa.Column("host", sa.String(129), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_admissions")),
    )
