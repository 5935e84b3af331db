"""A wrong merge undone: the incident goes on where it stood, by what is true now.

When two are merged by hand, what each was is written beside it (``as_it_was``). Undone, what still holds of the one goes
back to it; its steps go on from where they were. Where the other was acknowledged while both were one, that was said of
both: the one that goes back is acknowledged by the same person, and nobody is called for it anew. An acknowledgement of
before the merge was of the other alone and counts for nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from collector.escalation.queries import add_timer, move, pending
from collector.escalation.timer import FIX, REACK, STEP, UNSNOOZE
from collector.incidents import incident as inc
from collector.incidents.course_queries import read_book, write_memory
from collector.incidents.incident import UNDO, Incident
from collector.incidents.queries import find, note_event
from collector.incidents.signal import worst
from collector.incidents.tables import incident_events, incident_reach, incident_signals, incidents
from collector.store.scope import EVERYTHING

LOOKED_AT = timedelta(seconds=30)
"""By then the job has seen that nothing of an incident holds any more, and calls nobody for it."""


def as_it_was(connection: Connection, child: Incident, parent: Incident) -> dict[str, Any]:
    """What undoing needs to know, before anything is changed: of the child, and of what the parent was without it."""
    of, at = incident_signals.c, incident_reach.c
    held = connection.execute(select(of.key).where(of.incident == child.number, of.ended_at.is_(None))).scalars()
    there = select(at.agency, at.site)
    known = {tuple(row) for row in connection.execute(there.where(at.incident == parent.number))}
    lent = [tuple(row) for row in connection.execute(there.where(at.incident == child.number))]
    waits = [timer for timer in pending(connection, child.number) if timer.kind not in (REACK, *FIX)]
    return {
        "state": child.state,
        "snoozed_until": child.snoozed_until.isoformat() if child.snoozed_until is not None else "",
        "signals": sorted(held),
        "timers": [[timer.kind, timer.step, timer.due_at.isoformat()] for timer in waits],
        "lends_clock": parent.fix_due_at is None and child.fix_due_at is not None,
        "lends_reach": sorted(pair for pair in lent if pair not in known),
        "parent": {"severity": parent.severity, "priority": parent.priority, "impact": parent.impact},
    }


def last_merge(connection: Connection, number: int) -> tuple[int, Mapping[str, Any]] | None:
    """(into which, as it was) of an incident that somebody merged; None where a look did, which knows better."""
    of = incident_events.c
    row = connection.execute(
        select(of.data).where(of.incident == number, of.kind == "merged").order_by(of.id.desc()).limit(1)
    ).first()
    return (int(row.data["into"]), row.data[UNDO]) if row is not None and UNDO in row.data else None


def split_again(connection: Connection, number: int, of_parent: int, by: str, now: datetime) -> bool:
    """Whether it was done: the incident has to lie in the parent by hand, and the parent in none itself."""
    _, memory = read_book(connection, lock=True)
    child, parent = find(connection, EVERYTHING, number), find(connection, EVERYTHING, of_parent)
    merge = last_merge(connection, number)
    if child is None or parent is None or merge is None or merge[0] != of_parent or parent.merged_into is not None:
        return False
    was = merge[1]
    of = incidents.c
    mine = update(incidents).where(of.number == child.number, of.merged_into == parent.number)
    if not connection.execute(mine.values(merged_into=None)).rowcount:
        return False
    ended_at = _signals_back(connection, child.number, parent.number, was["signals"], now)
    if ended_at is not None and not parent.is_open:  # it ended with the other, and whoever was told has heard so
        over = {"state": inc.RESOLVED, "closed_at": None, "resolved_at": parent.resolved_at, "recovered_at": ended_at}
        connection.execute(update(incidents).where(of.number == child.number).values(**over))
    else:
        _go_on(connection, child, parent, was, now, holds=ended_at is None)
        if ended_at is not None:
            memory.root_ended[child.uid] = round(ended_at.timestamp() * 1000)
    if was.get("lends_owed"):
        memory.owed.pop(parent.uid, None)
    _parent_alone(connection, parent, child, was)
    note_event(connection, child.number, "split", by, now, {"number": parent.number} | _titles(parent))
    note_event(connection, parent.number, "gave_back", by, now, {"number": child.number} | _titles(child))
    write_memory(connection, memory)
    return True


def _titles(incident: Incident) -> dict[str, str]:
    return {"title_ko": incident.title_ko, "title_en": incident.title_en}


def _signals_back(connection: Connection, child: int, parent: int, keys: list[str], now: datetime) -> datetime | None:
    """Give back what was its own. None where some of it holds, else when the last of it ended."""
    of = incident_signals.c
    rows = connection.execute(select(incident_signals).where(of.incident == parent, of.key.in_(keys))).all()
    if rows:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(incident_signals)
        again = {
            name: statement.excluded[name] for name in ("severity", "last_at", "ended_at", "labels", "annotations")
        }
        connection.execute(
            statement.on_conflict_do_update(index_elements=["incident", "key"], set_=again),
            [dict(row._mapping) | {"incident": child, "last_at": now} for row in rows],
        )
        holding = update(incident_signals).where(of.incident == parent, of.key.in_(keys), of.ended_at.is_(None))
        connection.execute(holding.values(ended_at=now, last_at=now))
    if any(row.ended_at is None for row in rows):
        return None
    return max((row.ended_at for row in rows), default=now)


def _go_on(
    connection: Connection, child: Incident, parent: Incident, was: Mapping[str, Any], now: datetime, *, holds: bool
) -> None:
    """It is open again, as it was or as it was answered for meanwhile; what it waited for comes no sooner than now."""
    until = datetime.fromisoformat(was["snoozed_until"]) if was["snoozed_until"] else None
    answer = _answered_as_one(connection, child, parent) if was["state"] == inc.TRIGGERED else None
    values: dict[str, Any] = {
        "state": was["state"] if answer is None else inc.ACKNOWLEDGED,
        "closed_at": None,
        "resolved_at": None,
        "recovered_at": None,
        "snoozed_until": until if answer is None else None,
    }
    if answer is not None:
        values |= {"acknowledged_at": child.acknowledged_at or answer.at, "acknowledged_by": answer.by}
        values |= {"acknowledged_for": answer.data.get("for", "")}
    connection.execute(update(incidents).where(incidents.c.number == child.number).values(**values))
    for kind, step, due in was["timers"]:
        if answer is None or kind not in (STEP, UNSNOOZE):
            soonest = now if holds else now + LOOKED_AT
            add_timer(connection, child.number, kind, max(datetime.fromisoformat(due), soonest), step)
    if answer is not None:
        told = {"way": answer.data.get("way", "page"), "as_one_with": parent.number}
        note_event(connection, child.number, "acknowledged", answer.by, answer.at, told)


def _answered_as_one(connection: Connection, child: Incident, parent: Incident) -> Any:
    """The acknowledgement of the parent that was of both; None where it does not stand, or was said before the merge."""
    if parent.state == inc.TRIGGERED:
        return None
    of = incident_events.c
    took = (of.incident == parent.number, of.kind == "took_in", of.at == child.closed_at)
    since = connection.execute(select(of.id).where(*took).order_by(of.id.desc()).limit(1)).scalar()
    if since is None:
        return None
    answered = (of.incident == parent.number, of.kind == "acknowledged", of.id > since)
    return connection.execute(select(incident_events).where(*answered).order_by(of.id.desc()).limit(1)).first()


def _parent_alone(connection: Connection, parent: Incident, child: Incident, was: Mapping[str, Any]) -> None:
    """What it had from the child only: how grave it was, whom it reached, and the time to fix. What is true of it by
    itself the next look finds again."""
    of, at, before = incidents.c, incident_signals.c, was["parent"]
    held = select(at.severity).where(at.incident == parent.number, at.ended_at.is_(None))
    severity = worst(before["severity"], *connection.execute(held).scalars())
    values: dict[str, Any] = {"impact": before["impact"]}
    if severity != parent.severity:
        values |= {"severity": severity, "priority": max(parent.priority, before["priority"])}
    if was["lends_clock"] and parent.fix_due_at == child.fix_due_at:
        move(connection, parent.number, child.number, FIX)
        values |= {"fix_due_at": None}
    connection.execute(update(incidents).where(of.number == parent.number).values(**values))
    for agency, site in was["lends_reach"]:
        lent = incident_reach.c
        pair = (lent.incident == parent.number, lent.agency == agency, lent.site == site)
        connection.execute(incident_reach.delete().where(*pair))
