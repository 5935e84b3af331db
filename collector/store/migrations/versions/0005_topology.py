"""Systems, links, windows and what was judged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from collector.store.schema import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _places()
    _paths()
    _systems()
    _verdicts()
    _windows()


def _text(name: str, length: int, default: str | None = "''") -> sa.Column[str]:
    return sa.Column(
        name, sa.String(length=length), server_default=None if default is None else sa.text(default), nullable=False
    )


def _list(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="[]", nullable=False)


def _places() -> None:
    for name in ("behind", "weekend", "korean_days", "closures"):
        op.add_column("sites", _list(name))
    op.add_column("sites", _text("facility", 64))
    op.add_column("sites", _text("country", 2))
    op.add_column("sites", _text("subdivision", 8))
    op.add_column("sites", _text("business_hours", 16, "'09:00-18:00'"))
    op.add_column("sites", sa.Column("is_collector", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("hosts", _list("behind"))


def _paths() -> None:
    op.create_table(
        "links",
        sa.Column("id", sa.String(length=129), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        *(_text(name, length, None) for name, length in (("name", 64), ("role", 16), ("kind", 16), ("carrier", 64))),
        _text("cable", 64, None),
        sa.Column("rtt_ms_limit", sa.Float(), nullable=True),
        sa.Column("loss_ratio_limit", sa.Float(), nullable=True),
        sa.Column("test_days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_links_site"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_site"), "links", ["site"], unique=False)
    op.create_table(
        "probes",
        *(_text(name, length, None) for name, length in (("id", 400), ("host", 129), ("target", 256), ("site", 64))),
        *(_text(name, length, None) for name, length in (("link", 129), ("hub", 64), ("of_host", 129))),
        sa.Column("is_anchor", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probes")),
    )


def _systems() -> None:
    for name in ("groups", "depends_on", "uses"):
        op.add_column("systems", _list(name))
    op.create_table(
        "interfaces",
        *(_text(name, length, None) for name, length in (("id", 64), ("name_ko", 200), ("name_en", 200))),
        *(_text(name, 64, None) for name in ("source", "target", "source_owner", "target_owner")),
        _text("check", 400, None),
        sa.ForeignKeyConstraint(["source"], ["systems.id"], name=op.f("fk_interfaces_source"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["source_owner"], ["agencies.id"], name=op.f("fk_interfaces_source_owner")),
        sa.ForeignKeyConstraint(["target"], ["systems.id"], name=op.f("fk_interfaces_target"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["target_owner"], ["agencies.id"], name=op.f("fk_interfaces_target_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interfaces")),
    )
    op.create_index(op.f("ix_interfaces_source"), "interfaces", ["source"], unique=False)
    op.create_index(op.f("ix_interfaces_target"), "interfaces", ["target"], unique=False)


def _verdicts() -> None:
    for table in ("states", "state_changes"):
        op.add_column(table, _text("cause", 160))
    op.create_table(
        "verdict_memory",
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_verdict_memory")),
    )


def _windows() -> None:
    op.create_table(
        "maintenance_windows",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        _text("title", 200, None),
        _text("kind", 16, None),
        sa.Column("subjects", sa.Text(), nullable=False),
        _text("timezone", 64, None),
        _text("starts_local", 16, None),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("repeat", sa.Text(), nullable=True),
        sa.Column("notified_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        _text("created_by", 64, None),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_windows")),
    )
