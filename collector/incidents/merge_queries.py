"""Two incidents that people know to be one: what holds of the one goes over to the other, and it speaks no more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from collector.escalation.queries import cancel, move
from collector.escalation.timer import FIX, KINDS
from collector.incidents import incident as inc
from collector.incidents.course_queries import read_book, write_memory
from collector.incidents.incident import UNDO, Incident
from collector.incidents.queries import note_event
from collector.incidents.split_queries import as_it_was
from collector.incidents.tables import incident_reach, incident_signals, incidents


def merge_by_hand(connection: Connection, child: Incident, parent: Incident, by: str, now: datetime) -> bool:
    """Whether it was done: both have to be open and to speak for themselves. Whoever was called for the child hears of it
    through the parent; its time to fix goes on there where the parent has none."""
    _, memory = read_book(connection, lock=True)  # no look of the job stands on what is changed here
    of = incidents.c
    owes = (child.is_told or child.uid in memory.owed) and parent.uid not in memory.owed
    was = as_it_was(connection, child, parent) | {"lends_owed": owes}
    open_still = (of.state.in_(inc.OPEN), of.merged_into.is_(None))
    if not connection.execute(select(of.number).where(of.number == parent.number, *open_still)).first():
        return False
    done = connection.execute(
        update(incidents)
        .where(of.number == child.number, *open_still)
        .values(
            state=inc.CLOSED,
            closed_at=now,
            resolved_at=child.resolved_at or now,
            snoozed_until=None,
            merged_into=parent.number,
        )
    )
    if not done.rowcount:
        return False
    if owes:
        memory.owed[parent.uid] = round(now.timestamp() * 1000)
    _move_signals(connection, child.number, parent.number, now)
    _copy_reach(connection, child.number, parent.number)
    if was["lends_clock"]:
        connection.execute(update(incidents).where(of.number == parent.number).values(fix_due_at=child.fix_due_at))
        move(connection, child.number, parent.number, FIX)
    cancel(connection, child.number, KINDS, now)
    note_event(connection, child.number, "merged", by, now, {"into": parent.number, UNDO: was})
    took = {"title_ko": child.title_ko, "title_en": child.title_en, "number": child.number}
    note_event(connection, parent.number, "took_in", by, now, took)
    write_memory(connection, memory)
    return True


def _move_signals(connection: Connection, child: int, parent: int, now: datetime) -> None:
    of = incident_signals.c
    held = connection.execute(select(incident_signals).where(of.incident == child, of.ended_at.is_(None))).all()
    if not held:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(incident_signals)
    again = {name: statement.excluded[name] for name in ("severity", "last_at", "ended_at", "labels", "annotations")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["incident", "key"], set_=again),
        [dict(row._mapping) | {"incident": parent, "last_at": now} for row in held],
    )
    connection.execute(
        update(incident_signals).where(of.incident == child, of.ended_at.is_(None)).values(ended_at=now, last_at=now)
    )


def _copy_reach(connection: Connection, child: int, parent: int) -> None:
    of = incident_reach.c
    known = {(row.agency, row.site) for row in connection.execute(select(incident_reach).where(of.incident == parent))}
    rows = [
        {"incident": parent, "agency": row.agency, "site": row.site}
        for row in connection.execute(select(incident_reach).where(of.incident == child))
        if (row.agency, row.site) not in known
    ]
    if rows:
        connection.execute(insert(incident_reach), rows)
