"""An incident ends by somebody's word: it is resolved, later closed, and whoever was called hears that it is over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from collector.escalation.queries import add_timer, cancel
from collector.escalation.timer import FIX, KINDS, PURSUIT, RESOLVED
from collector.incidents import incident as inc
from collector.incidents.course_queries import read_book
from collector.incidents.queries import change
from collector.incidents.tables import incident_signals, incidents


def resolve(connection: Connection, number: int, by: str, now: datetime) -> bool:
    """Say that it is over. Signals that still hold open it again after a while."""
    of = incidents.c
    values = {
        "state": inc.RESOLVED,
        "resolved_at": now,
        "recovered_at": func.coalesce(of.recovered_at, now),
        "snoozed_until": None,
    }
    if not change(connection, number, inc.OPEN, values, "resolved", by, now, {}):
        return False
    cancel(connection, number, (*PURSUIT, *FIX), now)
    if _is_end_awaited(connection, number):
        add_timer(connection, number, RESOLVED, now)
    return True


def close(connection: Connection, number: int, by: str, now: datetime) -> bool:
    """Nothing is left to be done. Only what is resolved, and has no signal that still holds, can be closed."""
    of = incident_signals.c
    if connection.execute(select(of.key).where(of.incident == number, of.ended_at.is_(None)).limit(1)).first():
        return False
    done = change(connection, number, (inc.RESOLVED,), {"state": inc.CLOSED, "closed_at": now}, "closed", by, now, {})
    if done:
        cancel(connection, number, [kind for kind in KINDS if kind != RESOLVED], now)
    return done


def _is_end_awaited(connection: Connection, number: int) -> bool:
    """Whether somebody was called for it, or for what went into it."""
    of = incidents.c
    row = connection.execute(select(of.uid, of.paged_at).where(of.number == number, of.merged_into.is_(None))).first()
    if row is None:
        return False
    _, memory = read_book(connection)
    return row.paged_at is not None or row.uid in memory.owed
