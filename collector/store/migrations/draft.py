"""Drafts a migration from what ``tables.py`` files say and the migrations so far do not:

    python -m collector.store.migrations.draft "keep who acknowledged"
    python -m collector.store.migrations.draft --first        (until the first release: writes 0001 anew)

What it writes is a draft: read it, and think of the rows that are there already.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import UpgradeOps

from collector.store.engine import Store
from collector.store.migrate import MIGRATIONS, load_tables, upgrade
from collector.store.schema import JsonText, UtcDateTime, metadata

VERSIONS = MIGRATIONS / "versions"
FIRST = VERSIONS / "0001_first_release.py"
FIRST_ROWS = '    op.execute("INSERT INTO fleet_version (id, version) VALUES (1, 0)")\n'
HEAD = '''"""{summary}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from collector.store.schema import UtcDateTime

revision = "{revision}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade() -> None:
'''


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m collector.store.migrations.draft")
    parser.add_argument("summary", nargs="?", metavar="TEXT", help="what the migration does, in a few words")
    parser.add_argument("--first", action="store_true", help="write the first migration anew")
    args = parser.parse_args(argv)
    if args.first == (args.summary is not None):
        parser.error("give a text, or --first")
    numbers = sorted(int(file.name[:4]) for file in VERSIONS.glob("[0-9]*.py"))
    load_tables()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/draft.db")
        if not args.first:
            upgrade(store)
        with store.reading() as connection:
            body = draft(connection)
        store.close()
    if args.first:
        path, text = FIRST, HEAD.format(summary="Everything the first release keeps", revision="0001", before=None)
        body += FIRST_ROWS
    else:
        revision, before = f"{numbers[-1] + 1:04}", f'"{numbers[-1]:04}"'
        path = VERSIONS / f"{revision}_{re.sub('[^a-z0-9]+', '_', args.summary.lower())}.py"
        text = HEAD.format(summary=args.summary[:1].upper() + args.summary[1:], revision=revision, before=before)
    path.write_text(text + body, "utf-8")
    _tidy(path)
    sys.stdout.write(f"{path}\n")
    return 0


def draft(connection: Any) -> str:
    """The body of ``upgrade()``: what is missing in the database behind ``connection``."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "render_item": _render})
    found = produce_migrations(context, metadata).upgrade_ops
    assert isinstance(found, UpgradeOps)
    return "    " + render_python_code(found, render_item=_render, migration_context=context).strip() + "\n"


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    if kind != "type":
        return False
    return "UtcDateTime()" if isinstance(item, UtcDateTime) else "sa.Text()" if isinstance(item, JsonText) else False


def _tidy(path: Path) -> None:
    """The house's formatter, where it is installed."""
    for words in (["check", "-q", "--fix"], ["format", "-q"]):
        subprocess.run([sys.executable, "-m", "ruff", *words, str(path)], check=False)


if __name__ == "__main__":
    raise SystemExit(main())
