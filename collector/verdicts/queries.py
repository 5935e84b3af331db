"""SQL of verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from collector.verdicts.memory import Memory
from collector.verdicts.past import Books, no_books
from collector.verdicts.reasons import NEVER_REPORTED
from collector.verdicts.standing import Change, FailingCheck, Recorded
from collector.verdicts.tables import failing_checks, state_changes, states, verdict_memory

AT_ONCE = 300


def recorded(connection: Connection) -> Books:
    """Every current state by kind and id."""
    books = no_books()
    for row in connection.execute(select(states)):
        books.setdefault(row.kind, {})[row.id] = Recorded(row.state, row.since_ms, row.reason, row.cause)
    return books


def remembered(connection: Connection) -> Memory:
    memory = Memory()
    for row in connection.execute(select(verdict_memory)):
        memory = memory.taking(row.part, row.content)
    return memory


def write_memory(connection: Connection, parts: Mapping[str, Any]) -> None:
    """Take these parts in place of what was there."""
    if parts:
        connection.execute(delete(verdict_memory).where(verdict_memory.c.part.in_(list(parts))))
        connection.execute(insert(verdict_memory), [{"part": part, "content": rows} for part, rows in parts.items()])


def add_changes(connection: Connection, changes: Sequence[Change]) -> None:
    """Write changes, and the current states they lead to. Another reason alone is no change to be kept."""
    if not changes:
        return
    forget(connection, ((change.kind, change.id) for change in changes))
    connection.execute(
        insert(states),
        [
            {
                "kind": c.kind,
                "id": c.id,
                "state": c.after,
                "since_ms": c.at_ms if c.since_ms is None else c.since_ms,
                "reason": c.reason,
                "cause": c.cause,
            }
            for c in changes
        ],
    )
    kept = [
        {
            "kind": c.kind,
            "subject": c.id,
            "from_state": c.before,
            "to_state": c.after,
            "at_ms": c.at_ms,
            "reason": c.reason,
            "cause": c.cause,
        }
        for c in changes
        if not c.is_reason
    ]
    if kept:
        connection.execute(insert(state_changes), kept)


def forget(connection: Connection, subjects: Iterable[tuple[str, str]]) -> None:
    """Drop current states; the changes stay."""
    by_kind: dict[str, list[str]] = {}
    for kind, subject in subjects:
        by_kind.setdefault(kind, []).append(subject)
    for kind, ids in by_kind.items():
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            connection.execute(delete(states).where(states.c.kind == kind, states.c.id.in_(some)))


def failing(connection: Connection) -> set[FailingCheck]:
    """Every check that was not ok when it was last written."""
    rows = connection.execute(select(failing_checks))
    return {FailingCheck(r.host, r.check_name, r.state, r.text, r.since_ms) for r in rows}


def replace_failing(connection: Connection, gone: Iterable[FailingCheck], new: Iterable[FailingCheck]) -> None:
    """Take checks out, then put checks in; one whose words changed is in both."""
    for check in gone:
        connection.execute(
            delete(failing_checks).where(
                failing_checks.c.host == check.host, failing_checks.c.check_name == check.check
            )
        )
    rows = [
        {"host": c.host, "check_name": c.check, "state": c.state, "since_ms": c.since_ms, "text": c.text} for c in new
    ]
    if rows:
        connection.execute(insert(failing_checks), rows)


def changes_of(connection: Connection, kind: str, subject: str, from_ms: int, to_ms: int) -> list[Change]:
    """A thing's changes in ``[from_ms, to_ms)``, oldest first. The caller has checked that it may be seen."""
    rows = connection.execute(
        select(state_changes)
        .where(
            state_changes.c.kind == kind,
            state_changes.c.subject == subject,
            state_changes.c.at_ms >= from_ms,
            state_changes.c.at_ms < to_ms,
        )
        .order_by(state_changes.c.at_ms, state_changes.c.id)
    )
    return [Change(r.kind, r.subject, r.from_state, r.to_state, r.at_ms, r.reason, r.cause) for r in rows]


def never_reported(connection: Connection) -> set[str]:
    """Hosts of which the collector concluded that nobody ever reported them."""
    rows = select(states.c.id).where(states.c.kind == "host", states.c.reason == NEVER_REPORTED)
    return set(connection.execute(rows).scalars())
