"""SQL of incidents for people: finding them, and every change a person makes, with its event and its timers.

Each change is one conditional UPDATE: of two who answer at the same instant one is the first, and hears so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update

from collector.escalation.queries import add_timer, cancel
from collector.escalation.timer import PURSUIT, REACK, STEP, UNSNOOZE
from collector.incidents import incident as inc
from collector.incidents.incident import BY_PEOPLE, EVENTS, UNDO, WAYS, Event, Incident, SignalRow
from collector.incidents.tables import incident_events, incident_reach, incident_signals, incidents
from collector.store.scope import EVERYTHING, Scope

FIELDS = tuple(Incident.__dataclass_fields__)
_COLUMNS = [incidents.c[name] for name in FIELDS]
_OF_SIGNAL = [incident_signals.c[name] for name in SignalRow._fields]


def find(connection: Connection, scope: Scope, number: int) -> Incident | None:
    """An incident of the scope's own, which its people may act on."""
    of = incidents.c
    row = connection.execute(
        select(*_COLUMNS).where(of.number == number, scope.where(of.agency, of.site))
    ).one_or_none()
    return Incident(*row) if row is not None else None


def find_seen(connection: Connection, scope: Scope, number: int) -> Incident | None:
    """One that is the scope's own, or reaches what is: to be read, and only as ``seen.narrowed`` shows it."""
    row = connection.execute(select(*_COLUMNS).where(incidents.c.number == number, _is_seen(scope))).one_or_none()
    return Incident(*row) if row is not None else None


def list_incidents(
    connection: Connection,
    scope: Scope,
    *,
    states: Sequence[str] = (),
    severity: str = "",
    site: str = "",
    agency: str = "",
    reason: str = "",
    key: str = "",
    before: int | None = None,
    opened_from: datetime | None = None,
    opened_to: datetime | None = None,
    with_merged: bool = False,
    with_reaching: bool = False,
    limit: int = 100,
) -> list[Incident]:
    """The newest first; ``before``: numbers below it. What was merged into another is left out unless asked for, and so is
    what only reaches the scope's own (``find_seen``)."""
    of = incidents.c
    wanted: list[ColumnElement[bool]] = [_is_seen(scope) if with_reaching else scope.where(of.agency, of.site)]
    if states:
        wanted.append(of.state.in_(states))
    for value, column in (
        (severity, of.severity),
        (site, of.site),
        (agency, of.agency),
        (reason, of.reason),
        (key, of.key),
    ):
        if value:
            wanted.append(column == value)
    if before is not None:
        wanted.append(of.number < before)
    if opened_from is not None:
        wanted.append(of.opened_at >= opened_from)
    if opened_to is not None:
        wanted.append(of.opened_at < opened_to)
    if not with_merged:
        wanted.append(of.merged_into.is_(None))
    rows = connection.execute(select(*_COLUMNS).where(*wanted).order_by(of.number.desc()).limit(limit))
    return [Incident(*row) for row in rows]


def count_open_at(connection: Connection) -> dict[tuple[str, str, str], int]:
    """How many are triggered or acknowledged, by severity, agency and site."""
    of = incidents.c
    rows = connection.execute(
        select(of.severity, of.agency, of.site, func.count())
        .where(of.state.in_(inc.OPEN), of.merged_into.is_(None))
        .group_by(of.severity, of.agency, of.site)
    )
    return {(severity, agency or "", site or ""): int(count) for severity, agency, site, count in rows}


def count_open(connection: Connection, scope: Scope) -> dict[str, int]:
    """How many are triggered or acknowledged, by severity."""
    of = incidents.c
    rows = connection.execute(
        select(of.severity, func.count())
        .where(of.state.in_(inc.OPEN), of.merged_into.is_(None), scope.where(of.agency, of.site))
        .group_by(of.severity)
    )
    return {severity: int(count) for severity, count in rows}


def events_of(connection: Connection, number: int) -> list[Event]:
    """What happened, oldest first. The caller has checked that the incident may be seen."""
    of = incident_events.c
    rows = connection.execute(
        select(of.id, of.incident, of.at, of.kind, of.by, of.data).where(of.incident == number).order_by(of.id)
    )
    return [Event(*row[:-1], {name: row.data[name] for name in row.data if name != UNDO}) for row in rows]


def signals_of(connection: Connection, number: int, limit: int = 1_000) -> list[SignalRow]:
    """What it stands on: those that hold first, then by when they came."""
    of = incident_signals.c
    rows = connection.execute(
        select(*_OF_SIGNAL)
        .where(of.incident == number)
        .order_by(of.ended_at.isnot(None), of.first_at, of.key)
        .limit(limit)
    )
    return [SignalRow(*row) for row in rows]


def holding_signals(connection: Connection, numbers: Collection[int]) -> dict[int, list[SignalRow]]:
    """What each of these incidents stands on now."""
    of, found = incident_signals.c, dict[int, list[SignalRow]]()
    for row in connection.execute(select(*_OF_SIGNAL).where(of.incident.in_(numbers), of.ended_at.is_(None))):
        found.setdefault(row.incident, []).append(SignalRow(*row))
    return found


def note_event(
    connection: Connection, number: int, kind: str, by: str, now: datetime, data: Mapping[str, Any] | None = None
) -> None:
    """Write what happened; a person's sign of life puts off paging again."""
    note_events(connection, [(number, kind, by, dict(data or {}))], now)


def note_events(connection: Connection, rows: Iterable[tuple[int, str, str, Mapping[str, Any]]], now: datetime) -> None:
    """(incident, kind, by, data) each."""
    found: list[dict[str, Any]] = [
        {"incident": n, "at": now, "kind": kind, "by": by, "data": data} for n, kind, by, data in rows
    ]
    if not found:
        return
    assert all(row["kind"] in EVENTS for row in found), {row["kind"] for row in found} - set(EVENTS)
    connection.execute(insert(incident_events), found)
    for number in {row["incident"] for row in found if row["by"] and row["kind"] in BY_PEOPLE}:
        _put_off(connection, number, now)


def acknowledge(
    connection: Connection,
    number: int,
    by: str,
    now: datetime,
    for_: str = "",
    way: str = "page",
    *,
    is_on_shift: bool = True,
) -> bool:
    """Whether this was the answer the incident waited for; the steps then end, and who is silent is paged again later.

    ``for_``: for whom it is told (대리 인지). An answer of somebody off shift is written down, and the steps go on.
    """
    assert way in WAYS, way
    data = {"way": way} | ({"for": for_} if for_ else {})
    of = incidents.c
    if not is_on_shift:
        if connection.execute(select(of.number).where(of.number == number, of.state == inc.TRIGGERED)).first():
            note_event(connection, number, "answered_off_shift", by, now, data)
        return False
    done = connection.execute(
        update(incidents)
        .where(of.number == number, of.state == inc.TRIGGERED)
        .values(
            state=inc.ACKNOWLEDGED,
            acknowledged_at=func.coalesce(of.acknowledged_at, now),
            acknowledged_by=by,
            acknowledged_for=for_,
            snoozed_until=None,
        )
    )
    if not done.rowcount:
        return False
    cancel(connection, number, PURSUIT, now)
    note_event(connection, number, "acknowledged", by, now, data)
    return True


def assign(connection: Connection, number: int, by: str, now: datetime, assignee: str) -> bool:
    """Give it to somebody; empty = to nobody."""
    return change(connection, number, inc.OPEN, {"assignee": assignee}, "assigned", by, now, {"to": assignee})


def snooze(connection: Connection, number: int, by: str, now: datetime, until: datetime) -> bool:
    """Page nobody until then; if it is still there, steps begin anew. Nothing of the highest severity is muted so:
    the caller refuses that."""
    data = {"until": until.isoformat()}
    if not change(connection, number, inc.OPEN, {"snoozed_until": until}, "snoozed", by, now, data):
        return False
    cancel(connection, number, (STEP, REACK, UNSNOOZE), now)
    add_timer(connection, number, UNSNOOZE, until)
    return True


def comment(connection: Connection, number: int, by: str, now: datetime, text: str, *, is_action: bool = False) -> bool:
    """Write a word, or what was done about it (조치); the first time something is done is kept."""
    of = incidents.c
    values = {"action_at": func.coalesce(of.action_at, now)} if is_action else {"number": of.number}
    kind = "action" if is_action else "commented"
    return change(connection, number, inc.STATES, values, kind, by, now, {"text": text})


def explain(connection: Connection, number: int, by: str, now: datetime, cause: str, prevention: str) -> bool:
    """Why it happened, and what keeps it from happening again (재발방지대책); for the final report."""
    values = {"cause_text": cause, "prevention_text": prevention}
    return change(connection, number, inc.STATES, values, "explained", by, now, values)


def mark_paged(connection: Connection, number: int, now: datetime) -> None:
    """The first page is on its way (전파)."""
    of = incidents.c
    connection.execute(update(incidents).where(of.number == number, of.paged_at.is_(None)).values(paged_at=now))


def change(
    connection: Connection,
    number: int,
    states: Sequence[str],
    values: Mapping[str, Any],
    kind: str,
    by: str,
    now: datetime,
    data: Mapping[str, Any],
) -> bool:
    """Whether it was in one of ``states``, and is as ``values`` say now; the event of it is written then."""
    of = incidents.c
    done = connection.execute(update(incidents).where(of.number == number, of.state.in_(states)).values(**values))
    if not done.rowcount:
        return False
    note_event(connection, number, kind, by, now, data)
    return True


def _put_off(connection: Connection, number: int, now: datetime) -> None:
    """Count the silence of whoever acknowledged from now on."""
    of = incidents.c
    row = connection.execute(
        select(of.policy, of.snoozed_until).where(of.number == number, of.state == inc.ACKNOWLEDGED)
    ).first()
    seconds = row.policy.get("reack_seconds", 0) if row is not None and row.snoozed_until is None else 0
    if seconds:
        cancel(connection, number, (REACK,), now)
        add_timer(connection, number, REACK, now + timedelta(seconds=seconds))


def _is_seen(scope: Scope) -> ColumnElement[bool]:
    of, at = incidents.c, incident_reach.c
    own = scope.where(of.agency, of.site)
    if scope == EVERYTHING:
        return own
    return or_(own, select(at.site).where(at.incident == of.number, scope.where(at.agency, at.site)).exists())
