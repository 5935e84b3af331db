"""The crisis alert level (위기경보) as people declared it: 관심, 주의, 경계, 심각, or none.

Nothing here raises it by itself: it is declared by an authority outside, and somebody on shift says so here. It is a
scale of its own and shares no word with how severe an event is or which grade a system has.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from collector.agencies.tables import crisis_levels

LEVELS = ("none", "attention", "caution", "alert", "serious")
"""Each higher than those before it."""
NOTE_CHARS = 500


class CrisisLevel(NamedTuple):
    level: str
    since: datetime
    by: str
    note: str

    @property
    def rank(self) -> int:
        """0 = none … 4 = the highest."""
        return LEVELS.index(self.level)


def crisis_now(connection: Connection) -> CrisisLevel | None:
    """What holds now; None where none does."""
    found = crisis_past(connection, 1)
    return found[0] if found and found[0].rank else None


def crisis_past(connection: Connection, limit: int) -> list[CrisisLevel]:
    """What was declared, the newest first; also that it was lifted."""
    at = crisis_levels.c
    query = select(at.level, at.set_at, at.set_by, at.note).order_by(at.id.desc()).limit(limit)
    return [CrisisLevel(*row) for row in connection.execute(query)]


def declare(connection: Connection, declared: CrisisLevel) -> None:
    assert declared.level in LEVELS, declared.level
    connection.execute(
        insert(crisis_levels).values(
            level=declared.level, set_at=declared.since, set_by=declared.by, note=declared.note
        )
    )
