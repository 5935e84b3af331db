"""Alembic's entry: runs on the connection (and in the transaction) that ``collector.store.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from collector.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=False,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
