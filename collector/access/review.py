"""The monthly access review: for each who may sign in or ask, what they may and what they did with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from collector.access.audit import read_log
from collector.access.queries import list_api_tokens, list_persons
from collector.access.roles import role_of
from collector.errors import UsageError

KOREA = ZoneInfo("Asia/Seoul")
COUNTED = ("login.done", "login.failed", "people.view")


def review(connection: Connection, month: str) -> list[dict[str, Any]]:
    """A row for each user, token and whoever else did something in ``month`` (``2026-11``, by Korea time).

    ``is_idle`` is what a review looks for first: may, but did not. Raises UsageError."""
    from_ms, to_ms = span_of(month)
    done: dict[str, Counter[str]] = defaultdict(Counter)
    for row in read_log(connection, from_ms=from_ms, to_ms=to_ms, limit=1 << 31):
        done[row.actor][row.action if row.action in COUNTED else "other"] += 1
    known = {person.username: role_of(person.role) for person in list_persons(connection)}
    known |= {f"token:{row.name}": role_of(row.role) for row in list_api_tokens(connection) if row.revoked_at is None}
    return [
        {
            "actor": actor,
            "role": known.get(actor, ""),
            "logins": done[actor]["login.done"],
            "failed_logins": done[actor]["login.failed"],
            "personal_data_views": done[actor]["people.view"],
            "other": done[actor]["other"],
            "is_idle": actor in known and not sum(done[actor].values()) and not actor.startswith("token:"),
        }
        for actor in sorted({*known, *done})
    ]


def span_of(month: str) -> tuple[int, int]:
    """Half-open, in milliseconds. Raises UsageError."""
    try:
        began = datetime.strptime(month, "%Y-%m").replace(tzinfo=KOREA)
    except ValueError as why:
        raise UsageError(f"month {month!r}: expected a month such as 2026-11") from why
    after = began.replace(year=began.year + began.month // 12, month=began.month % 12 + 1)
    return int(began.timestamp() * 1000), int(after.timestamp() * 1000)
