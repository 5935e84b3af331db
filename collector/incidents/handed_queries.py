"""SQL of incidents that change hands: what a hub has to tell, and what the centre makes of it.

The centre opens its own incidents from its own evidence, which comes with the backlog. What a hub told waits until an
incident about the same key is there, and is taken into it in the transaction that opens it: before anybody can be paged
a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, or_, select, update

from collector.alerts.tables import handed_incidents, hub_reports
from collector.escalation.policy import Plan, freeze, thaw
from collector.escalation.queries import add_timer, cancel
from collector.escalation.timer import KINDS, STEP
from collector.fleet.registry import Fleet
from collector.incidents import incident as inc
from collector.incidents.course_queries import read_book, write_memory
from collector.incidents.handed import Report, Told, key_at_centre, report_of
from collector.incidents.incident import Incident
from collector.incidents.queries import FIELDS, acknowledge, note_event
from collector.incidents.tables import incident_signals, incidents
from collector.store.schema import instant

WAITS = timedelta(minutes=15)
"""So long after a hub is back its backlog may still be the first to show the centre what was wrong."""
ToldOf = Callable[[Connection, int], Sequence[Told]]
"""Who was called for an incident."""
_COLUMNS = [incidents.c[name] for name in FIELDS]


# ---------------------------------------------------------------- at the hub


def to_hand_over(connection: Connection, told: ToldOf, most: int) -> list[Report]:
    """What the centre has not, or not as it is now."""
    known = {row.uid: row.digest for row in connection.execute(select(handed_incidents))}
    rows = connection.execute(
        select(*_COLUMNS).where(incidents.c.merged_into.is_(None), incidents.c.is_storm.is_(False))
    ).all()
    found: list[Report] = []
    for incident in (Incident(*row) for row in rows):
        if incident.uid in known and not incident.is_open:
            continue
        report = report_of(incident, told(connection, incident.number))
        if known.get(report.uid) != report.digest:
            found.append(report)
        if len(found) >= most:
            break
    return found


def note_handed(connection: Connection, reports: Iterable[Report], now: datetime) -> None:
    for report in reports:
        values = {"digest": report.digest, "handed_at": now}
        row = update(handed_incidents).where(handed_incidents.c.uid == report.uid).values(**values)
        if not connection.execute(row).rowcount:
            connection.execute(insert(handed_incidents), {"uid": report.uid, **values})


def close_handed(connection: Connection, now: datetime) -> int:
    """The centre has them: nobody is called from here any more."""
    _, memory = read_book(connection, lock=True)
    numbers = list(connection.execute(select(incidents.c.number).where(incidents.c.state.in_(inc.OPEN))).scalars())
    for number in numbers:
        cancel(connection, number, KINDS, now)
        note_event(connection, number, "closed", "", now, {"handed": True})
    is_theirs = incidents.c.number.in_(numbers)
    connection.execute(update(incidents).where(is_theirs).values(state=inc.CLOSED, closed_at=now))
    of = incident_signals.c
    connection.execute(update(incident_signals).where(of.ended_at.is_(None)).values(ended_at=now, last_at=now))
    write_memory(connection, memory)
    return len(numbers)


# ---------------------------------------------------------------- at the centre


def take(connection: Connection, hub: str, reports: Sequence[Report], fleet: Fleet, plan: Plan, now: datetime) -> None:
    """Keep what a hub tells, and take it into incidents that are there."""
    _, memory = read_book(connection, lock=True)
    for report in reports:
        key = key_at_centre(report, hub)
        kept = connection.execute(select(hub_reports).where(hub_reports.c.uid == report.uid)).first()
        values = {"hub": hub, "key": key, "content": msgspec.to_builtins(report), "received_at": now}
        if kept is None:
            connection.execute(insert(hub_reports), {"uid": report.uid, **values})
        else:
            connection.execute(update(hub_reports).where(hub_reports.c.uid == report.uid).values(**values))
        number = kept.incident if kept is not None else None
        if number is None:
            number = _same(connection, key, report)
        if number is None and report.ended_at_ms is not None:
            number = _add_past(connection, hub, report, key, fleet, plan, now)
        if number is not None:
            _take_in(connection, number, hub, report, fleet, now, is_first=kept is None or kept.incident is None)
    write_memory(connection, memory)  # a look under way begins anew


def adopt(connection: Connection, numbers: Iterable[int], fleet: Fleet, now: datetime) -> int:
    """Take what hubs told into these incidents, where it is about the same; how many. Call it where they are opened."""
    of, at = hub_reports.c, incidents.c
    rows = connection.execute(
        select(of.hub, of.content, at.number)
        .join(incidents, at.key == of.key)
        .where(at.number.in_(list(numbers)), of.incident.is_(None), of.received_at > now - WAITS)
    ).all()
    for row in rows:
        _take_in(connection, row.number, row.hub, msgspec.convert(dict(row.content), Report), fleet, now, is_first=True)
    return len(rows)


def give_up_waiting(connection: Connection, fleet: Fleet, plan: Plan, now: datetime) -> int:
    """What the centre itself never saw is written down as past; how many."""
    of = hub_reports.c
    rows = connection.execute(select(hub_reports).where(of.incident.is_(None), of.received_at <= now - WAITS)).all()
    for row in rows:
        report = msgspec.convert(dict(row.content), Report)
        number = _add_past(connection, row.hub, report, row.key, fleet, plan, now)
        _take_in(connection, number, row.hub, report, fleet, now, is_first=True)
    return len(rows)


def _same(connection: Connection, key: str, report: Report) -> int | None:
    """The centre's own incident about it: open, or of the same time."""
    of = incidents.c
    began = instant(report.occurred_at_ms)
    is_same = or_(of.uid == report.uid, (of.key == key) & (or_(of.state.in_(inc.OPEN), of.resolved_at > began)))
    row = connection.execute(
        select(of.number).where(is_same, of.merged_into.is_(None)).order_by(of.number.desc())
    ).first()
    return None if row is None else int(row.number)


def _add_past(
    connection: Connection, hub: str, report: Report, key: str, fleet: Fleet, plan: Plan, now: datetime
) -> int:
    site = fleet.sites.get(report.site)
    is_theirs = site is not None and site.hub == hub
    agency = site.agency if site is not None and is_theirs else ""
    ended = now if report.ended_at_ms is None else instant(report.ended_at_ms)
    policy = plan.choose(report.severity, report.priority, report.site if is_theirs else "", agency)
    values: dict[str, Any] = {name: getattr(report, name) for name in
                              ("source", "severity", "priority", "reason", "title_ko", "title_en")}  # fmt: skip
    values |= {
        "uid": report.uid,
        "key": key,
        "state": inc.CLOSED,
        "subject_kind": report.subject[0],
        "subject_id": report.subject[1],
        "site": report.site if is_theirs else "",
        "agency": agency,
        "occurred_at": instant(report.occurred_at_ms),
        "opened_at": now,
        "acknowledged_by": "",
        "acknowledged_for": "",
        "assignee": "",
        "recovered_at": ended,
        "resolved_at": ended,
        "closed_at": now,
        "returns": 0,
        "impact": {},
        "evidence": (),
        "policy": freeze(policy),
        "cause_text": "",
        "prevention_text": "",
        "is_digest": False,
        "is_storm": False,
    }
    made = connection.execute(insert(incidents).values(**values))
    assert made.inserted_primary_key is not None
    number = int(made.inserted_primary_key[0])
    note_event(connection, number, "opened", "", now, {"hub": hub})
    return number


def _take_in(
    connection: Connection, number: int, hub: str, report: Report, fleet: Fleet, now: datetime, *, is_first: bool
) -> None:
    """Who was called at the hub is called; who answered there has answered. A hub speaks for its own region alone."""
    of = incidents.c
    own = Incident(*connection.execute(select(*_COLUMNS).where(of.number == number)).one())
    connection.execute(update(hub_reports).where(hub_reports.c.uid == report.uid).values(incident=number))
    if not _is_theirs(own, hub, fleet):
        return
    paged = _at(report.paged_at_ms)
    if paged is not None and own.paged_at is None and own.state == inc.TRIGGERED:
        cancel(connection, number, (STEP,), now)
        due = thaw(own.policy).following(0, paged)
        if due is not None and report.acknowledged_at_ms is None:
            add_timer(connection, number, STEP, max(due, now), step=1)
    if report.acknowledged_at_ms is not None and own.state == inc.TRIGGERED:
        by = f"{hub}/{report.acknowledged_by}"[:64]
        acknowledge(connection, number, by, now, report.acknowledged_for, "hub")
    acknowledged = _at(report.acknowledged_at_ms)
    values = {
        "paged_at": _first(own.paged_at, paged),
        "acknowledged_at": _first(own.acknowledged_at, acknowledged),
        "action_at": _first(own.action_at, _at(report.action_at_ms)),
        "cause_text": own.cause_text or report.cause_text,
        "prevention_text": own.prevention_text or report.prevention_text,
    }
    if not own.acknowledged_by and report.acknowledged_by:
        values |= {
            "acknowledged_by": f"{hub}/{report.acknowledged_by}"[:64],
            "acknowledged_for": report.acknowledged_for,
        }
    connection.execute(update(incidents).where(of.number == number).values(**values))
    if is_first:
        told = [{"person": one.person, "channel": one.channel, "at_ms": one.sent_at_ms} for one in report.told]
        data = {"hub": hub, "number": report.number, "told": told, "by": report.acknowledged_by}
        note_event(connection, number, "hub_paged", "", now, data)


def _is_theirs(incident: Incident, hub: str, fleet: Fleet) -> bool:
    site = fleet.sites.get(incident.site)
    return incident.subject == ("hub", hub) or (site is not None and site.hub == hub)


def _at(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else instant(at_ms)


def _first(one: datetime | None, other: datetime | None) -> datetime | None:
    found = [at for at in (one, other) if at is not None]
    return min(found) if found else None
