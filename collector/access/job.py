"""Signs how far the audit log has come, hour by hour, and lets go what is older than it is kept.

Each signed head is a row and a line of DATA/audit-heads.jsonl; whoever cuts the log's end off must find both, and what
was printed of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from collector.access.audit import add_head, let_go
from collector.access.chain import Head
from collector.store.engine import Store

SECONDS = 60.0
HEAD_EVERY = timedelta(hours=1)
LET_GO_EVERY = timedelta(days=1)


def heads_file(data_dir: Path) -> Path:
    return data_dir / "audit-heads.jsonl"


class AuditJob:
    """One step a minute; the first signs at once, so that a restart leaves no longer hole than an hour."""

    def __init__(
        self, store: Store, file: Path, keep_days: int, sign: Callable[[bytes], bytes], clock_trouble: Callable[[], str]
    ) -> None:
        self._store = store
        self._file = file
        self._keep = timedelta(days=keep_days)
        self._sign = sign
        self._clock_trouble = clock_trouble
        self._signed_at: datetime | None = None
        self._let_go_at: datetime | None = None

    def step(self, now: datetime) -> datetime | None:
        made: list[Head | None] = []
        if self._signed_at is None or now - self._signed_at >= HEAD_EVERY:
            with self._store.transaction() as connection:
                made.append(add_head(connection, now, self._sign))
            self._signed_at = now
        # By a clock that is not to be believed nothing is too old.
        if (self._let_go_at is None or now - self._let_go_at >= LET_GO_EVERY) and not self._clock_trouble():
            with self._store.transaction() as connection:
                made.append(let_go(connection, int((now - self._keep).timestamp() * 1000), now, self._sign))
            self._let_go_at = now
        append_heads(self._file, [head for head in made if head is not None])
        return None


def append_heads(file: Path, heads: list[Head]) -> None:
    if not heads:
        return
    lines = "".join(
        json.dumps({**head._asdict(), "hash": head.hash.hex(), "signature": head.signature.hex()}) + "\n"
        for head in heads
    )
    made = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(made, lines.encode())
        os.fsync(made)
    finally:
        os.close(made)


def read_heads(file: Path) -> list[Head]:
    """None of them where there is no file. Raises ValueError on a line that is no head."""
    if not file.exists():
        return []
    found = []
    for line in file.read_text("utf-8").splitlines():
        row = json.loads(line)
        found.append(
            Head(row["kind"], row["seq"], row["at_ms"], bytes.fromhex(row["hash"]), bytes.fromhex(row["signature"]))
        )
    return found
