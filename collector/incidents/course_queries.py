"""SQL of a look: what it stands on, and what it leaves, in a few statements however many signals there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from collector.errors import CollectorError
from collector.escalation.tables import timers
from collector.incidents import incident as inc
from collector.incidents.course import Home, Memory, Moved, Outcome
from collector.incidents.draft import Draft
from collector.incidents.incident import Incident
from collector.incidents.queries import FIELDS, note_events
from collector.incidents.signal import Signal
from collector.incidents.tables import incident_books, incident_reach, incident_signals, incidents

AT_ONCE = 500
_COLUMNS = [incidents.c[name] for name in FIELDS]


class Overtaken(CollectorError):
    """Somebody else changed what a look stood on; the next look sees it."""


def read_book(connection: Connection, *, lock: bool = False) -> tuple[int, Memory]:
    """(version, memory). ``lock``: nobody else writes by signals until this transaction ends."""
    question = select(incident_books.c.version, incident_books.c.content).where(incident_books.c.id == 1)
    if lock:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        first = dialect.insert(incident_books).values(id=1, version=0, content={})
        connection.execute(first.on_conflict_do_nothing())
        question = question.with_for_update()
    row = connection.execute(question).one_or_none()
    content = row.content if row is not None else {}
    known = Memory()
    return int(row.version) if row is not None else 0, Memory(
        list(content.get("came_ms", ())),
        content.get("storm_ms", 0),
        {uid: list(each) for uid, each in content.get("raising", {}).items()},
        dict(content.get("late", known.late)),
        dict(content.get("digests", known.digests)),
        dict(content.get("root_ended", known.root_ended)),
        dict(content.get("owed", known.owed)),
        dict(content.get("worked", known.worked)),
    )


def read_homes(connection: Connection) -> dict[str, Home]:
    """Every signal that holds, and where it belongs."""
    of, at = incident_signals.c, incidents.c
    rows = connection.execute(
        select(of.key, at.uid, of.source, of.severity)
        .join(incidents, at.number == of.incident)
        .where(of.ended_at.is_(None), at.state != inc.CLOSED)
    )
    return {row.key: Home(row.uid, row.source, row.severity) for row in rows}


def read_known(connection: Connection, uids: Iterable[str], now: datetime, reopen: timedelta) -> list[Incident]:
    """Incidents a look may change: those that are open, were resolved a moment ago, or have a signal that holds."""
    of = incidents.c
    lately = and_(of.state == inc.RESOLVED, of.resolved_at > now - reopen)
    rows = connection.execute(
        select(*_COLUMNS).where(or_(of.state.in_(inc.OPEN), lately), of.merged_into.is_(None))
    ).all()
    found = [Incident(*row) for row in rows]
    rest = sorted(set(uids) - {each.uid for each in found})
    for some in _pieces(rest):
        rows = connection.execute(select(*_COLUMNS).where(of.uid.in_(some), of.state == inc.RESOLVED)).all()
        found += [Incident(*row) for row in rows]
    return sorted(found, key=lambda each: each.number)


def write_look(connection: Connection, version: int, outcome: Outcome, memory: Memory, now: datetime) -> dict[str, int]:
    """Write it all; number by uid of what changed. Raises Overtaken where another wrote since ``version`` was read, or
    somebody answered meanwhile: nothing is written then."""
    found, _ = read_book(connection, lock=True)
    if found != version:
        raise Overtaken(f"incidents: version {found}, read at {version}; looked at again")
    numbers = _write_incidents(connection, outcome.drafts)
    _write_timers(connection, outcome.drafts, numbers, now)
    _write_reach(connection, outcome.drafts, numbers)
    others = {each.uid for each in outcome.moved} | {uid for uid, _ in outcome.late}
    numbers |= _numbers(connection, others - numbers.keys())
    _end_signals(connection, outcome.moved, numbers, now)
    joined = [(each.uid, each.signal, None) for each in outcome.moved if each.signal is not None]
    late = [(uid, signal, now) for uid, signal in outcome.late]
    _write_signals(connection, [*joined, *late], numbers, now)
    note_events(
        connection,
        [(numbers[d.uid], kind, "", _with_number(data, numbers)) for d in outcome.drafts for kind, data in d.events],
        now,
    )
    write_memory(connection, memory)
    return numbers


def write_memory(connection: Connection, memory: Memory) -> None:
    connection.execute(
        update(incident_books)
        .where(incident_books.c.id == 1)
        .values(version=incident_books.c.version + 1, content=asdict(memory))
    )


def close_old(connection: Connection, before: datetime, now: datetime) -> int:
    """Close what was resolved before an instant and had no clock for fixing; how many."""
    of, at = incidents.c, incident_signals.c
    holds = select(at.incident).where(at.incident == of.number, at.ended_at.is_(None)).exists()
    old = (of.state == inc.RESOLVED, of.resolved_at < before, of.fix_due_at.is_(None), ~holds)
    numbers = [int(number) for number in connection.execute(select(of.number).where(*old).limit(AT_ONCE)).scalars()]
    if numbers:
        gone = (of.number.in_(numbers), of.state == inc.RESOLVED)
        connection.execute(update(incidents).where(*gone).values(state=inc.CLOSED, closed_at=now))
        note_events(connection, [(number, "closed", "", {}) for number in numbers], now)
    return len(numbers)


def _write_incidents(connection: Connection, drafts: Sequence[Draft]) -> dict[str, int]:
    new = [draft for draft in drafts if draft.is_new]
    numbers = {draft.uid: draft.incident.number for draft in drafts if not draft.is_new}
    there = _numbers(connection, [draft.uid for draft in new])
    for draft in new:
        values = {name: getattr(draft.incident, name) for name in FIELDS if name not in ("number", "merged_into")}
        if draft.uid in there:
            # The very same disturbance: merged into what is over now, or gone for a while; it stands by itself again.
            number = numbers[draft.uid] = there[draft.uid]
            was = connection.execute(select(incidents.c.merged_into).where(incidents.c.number == number)).scalar_one()
            again_as = "reopened" if was is None else "split"
            keep = {"uid", "opened_at", "paged_at", "acknowledged_at", "cause_text", "prevention_text"}
            again = {name: value for name, value in values.items() if name not in keep}
            connection.execute(update(incidents).where(incidents.c.uid == draft.uid).values(**again, merged_into=None))
            draft.events[:] = [(again_as if kind == "opened" else kind, data) for kind, data in draft.events]
        else:
            made = connection.execute(insert(incidents).values(**values))
            assert made.inserted_primary_key is not None
            numbers[draft.uid] = int(made.inserted_primary_key[0])
    for draft in drafts:
        if draft.before is not None:
            _update(connection, draft, draft.before, numbers)
    return numbers


def _update(connection: Connection, draft: Draft, before: Incident, numbers: Mapping[str, int]) -> None:
    after = draft.incident
    values = {name: getattr(after, name) for name in FIELDS if getattr(after, name) != getattr(before, name)}
    if draft.merged_into:
        values["merged_into"] = numbers[draft.merged_into]
    if not values:
        return
    of = incidents.c
    same = (of.number == before.number, of.state == before.state)
    if not connection.execute(update(incidents).where(*same).values(**values)).rowcount:
        raise Overtaken(f"incident {before.number}: somebody answered meanwhile; looked at again")


def _write_timers(connection: Connection, drafts: Sequence[Draft], numbers: Mapping[str, int], now: datetime) -> None:
    """What a parent takes over is taken before its child's timers end."""
    of = timers.c
    for draft in drafts:
        number = numbers[draft.uid]
        for change in draft.timers:
            waiting = (of.incident == number, of.kind.in_(change.kinds), of.done_at.is_(None))
            if change.what == "cancel":
                connection.execute(update(timers).where(*waiting).values(done_at=now))
            elif change.what == "hold":
                sooner = (*waiting, of.due_at < change.at)
                connection.execute(update(timers).where(*sooner).values(due_at=change.at))
            elif change.what == "take":
                theirs = (of.incident == numbers[change.of], of.kind.in_(change.kinds), of.done_at.is_(None))
                connection.execute(update(timers).where(*theirs).values(incident=number))
    rows = [
        {"incident": numbers[draft.uid], "kind": change.kinds[0], "step": 0, "due_at": change.at}
        for draft in drafts
        for change in draft.timers
        if change.what == "add"
    ]
    if rows:
        connection.execute(insert(timers), rows)


def _write_reach(connection: Connection, drafts: Sequence[Draft], numbers: Mapping[str, int]) -> None:
    rows = [
        {"incident": numbers[draft.uid], "agency": agency, "site": site}
        for draft in drafts
        for agency, site in sorted(draft.places)
    ]
    if rows:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(dialect.insert(incident_reach).on_conflict_do_nothing(), rows)


def _end_signals(connection: Connection, moved: Sequence[Moved], numbers: Mapping[str, int], now: datetime) -> None:
    by_time: dict[tuple[int, datetime], list[str]] = {}
    for each in moved:
        if each.signal is None and each.uid in numbers:
            by_time.setdefault((numbers[each.uid], each.at), []).append(each.key)
    of = incident_signals.c
    for (number, at), keys in by_time.items():
        for some in _pieces(keys):
            connection.execute(
                update(incident_signals).where(of.incident == number, of.key.in_(some)).values(ended_at=at, last_at=now)
            )


def _write_signals(
    connection: Connection,
    rows: Sequence[tuple[str, Signal, datetime | None]],
    numbers: Mapping[str, int],
    now: datetime,
) -> None:
    found = {
        (numbers[uid], signal.key): {
            "incident": numbers[uid],
            "key": signal.key,
            "source": signal.source,
            "severity": signal.severity,
            "first_at": datetime.fromtimestamp(signal.since_ms / 1000, now.tzinfo),
            "last_at": now,
            "ended_at": None
            if ended_at is None
            else ended_at
            if signal.ended_ms is None
            else datetime.fromtimestamp(signal.ended_ms / 1000, now.tzinfo),
            "labels": signal.labels,
            "annotations": signal.annotations,
        }
        for uid, signal, ended_at in rows
    }
    if not found:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(incident_signals)
    again = {name: statement.excluded[name] for name in ("severity", "last_at", "ended_at", "labels", "annotations")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["incident", "key"], set_=again), list(found.values())
    )


def _numbers(connection: Connection, uids: Iterable[str]) -> dict[str, int]:
    of = incidents.c
    found: dict[str, int] = {}
    for some in _pieces(sorted(uids)):
        found |= {
            row.uid: int(row.number) for row in connection.execute(select(of.uid, of.number).where(of.uid.in_(some)))
        }
    return found


def _with_number(data: Mapping[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    """People know an incident by its number."""
    if "into_uid" not in data:
        return dict(data)
    return {"into": numbers[data["into_uid"]]}


def _pieces(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[at : at + AT_ONCE] for at in range(0, len(names), AT_ONCE))
