"""SQL of pages: the outbox, what was decided, and how channels fare."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, insert, or_, select, update

from collector.incidents.tables import incidents
from collector.pages import page as p
from collector.pages.duplicate import Earlier
from collector.pages.page import Delivery, Why
from collector.pages.tables import page_decisions, page_deliveries
from collector.store.scope import Scope

FIELDS = tuple(Delivery.__dataclass_fields__)
_COLUMNS = [page_deliveries.c[name] for name in FIELDS]
_URGENCY = case((page_deliveries.c.severity == p.CRITICAL, 0), (page_deliveries.c.severity == p.WARNING, 1), else_=2)


class Decision(NamedTuple):
    """What a stage said, when and at which step."""

    at: datetime
    step: int
    why: Why


def add_page(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Put a page into the outbox; False where one of its key is there already."""
    of = page_deliveries.c
    if connection.execute(select(of.id).where(of.page_key == values["page_key"])).first():
        return False
    empty = {"state": p.QUEUED, "attempts": 0, "receipt": "", "reason": "", "error": "", "answered_way": ""}
    connection.execute(insert(page_deliveries).values(empty | {"root": values["page_key"]} | dict(values)))
    return True


def supersede(
    connection: Connection,
    incident: int,
    reason: str,
    *,
    person: str = "",
    channel: str = "",
    kinds: Iterable[str] = p.KINDS,
    except_keys: Iterable[str] = (),
) -> int:
    """Take back what did not leave yet, for newer news makes it old; how many. What is being sent now is not touched."""
    of = page_deliveries.c
    wanted = [
        of.incident == incident,
        of.state == p.QUEUED,
        of.kind.in_(list(kinds)),
        of.page_key.notin_(list(except_keys)),
    ]
    wanted += [column == value for column, value in ((of.person, person), (of.channel, channel)) if value]
    done = connection.execute(update(page_deliveries).where(*wanted).values(state=p.SUPERSEDED, reason=reason))
    return int(done.rowcount)


def supersede_root(connection: Connection, root: str, except_key: str) -> int:
    """One of those that stand in for one another left: the others need not."""
    of = page_deliveries.c
    waiting = (of.root == root, of.page_key != except_key, of.state == p.QUEUED)
    done = connection.execute(
        update(page_deliveries).where(*waiting).values(state=p.SUPERSEDED, reason="other_channel")
    )
    return int(done.rowcount)


def supersede_heartbeats(connection: Connection, channel: str, address: str) -> int:
    """A sign of life that did not leave yet says less than the next one."""
    of = page_deliveries.c
    old = (of.kind == p.HEARTBEAT, of.channel == channel, of.address == address, of.state == p.QUEUED)
    done = connection.execute(update(page_deliveries).where(*old).values(state=p.SUPERSEDED, reason="newer"))
    return int(done.rowcount)


def bring_forward(connection: Connection, channel: str, now: datetime) -> int:
    """What failed on a channel and waits to be tried again is due now; how many."""
    of = page_deliveries.c
    tried = (of.channel == channel, of.state == p.QUEUED, of.attempts > 0, of.due_at > now)
    return int(connection.execute(update(page_deliveries).where(*tried).values(due_at=now)).rowcount)


def due_pages(
    connection: Connection, channel: str, now: datetime, limit: int, lease: timedelta, skip: Collection[int] = ()
) -> list[int]:
    """Rows a channel may send now, the most urgent first. Reading claims nothing."""
    of = page_deliveries.c
    wanted = [of.channel == channel, _is_free(now, lease)]
    if skip:
        wanted.append(of.id.notin_(list(skip)))
    rows = connection.execute(select(of.id).where(*wanted).order_by(_URGENCY, of.due_at, of.id).limit(limit))
    return [row.id for row in rows]


def next_due(connection: Connection) -> datetime | None:
    """When the next page may leave, whatever its channel."""
    of = page_deliveries.c
    found: datetime | None = connection.execute(
        select(func.min(of.due_at)).where(of.state == p.QUEUED)
    ).scalar_one_or_none()
    return found


def claim_page(connection: Connection, page: int, now: datetime, lease: timedelta) -> Delivery | None:
    """The row, where this caller won it: until the lease is over nobody else sends it."""
    of = page_deliveries.c
    done = connection.execute(
        update(page_deliveries)
        .where(of.id == page, _is_free(now, lease))
        .values(state=p.SENDING, lease_until=now + lease, attempts=of.attempts + 1)
    )
    if not done.rowcount:
        return None
    return find_page(connection, page)


def find_page(connection: Connection, page: int) -> Delivery | None:
    row = connection.execute(select(*_COLUMNS).where(page_deliveries.c.id == page)).one_or_none()
    return Delivery(*row) if row is not None else None


def change_page(connection: Connection, page: int, attempts: int, **values: Any) -> bool:
    """Write what came of a try, unless somebody else tried since."""
    of = page_deliveries.c
    mine = (of.id == page, of.attempts == attempts, of.state == p.SENDING)
    done = connection.execute(update(page_deliveries).where(*mine).values(lease_until=None, **values))
    return bool(done.rowcount)


def release(connection: Connection) -> int:
    """Let go of every lease: for whoever knows that nobody else is sending."""
    of = page_deliveries.c
    done = connection.execute(
        update(page_deliveries).where(of.state == p.SENDING).values(state=p.QUEUED, lease_until=None)
    )
    return int(done.rowcount)


def is_replaced(connection: Connection, page: Delivery) -> bool:
    """Whether it left by another way, or the same person has newer news of the same incident at the same address."""
    of = page_deliveries.c
    other = and_(of.root == page.root, of.state == p.SENT)
    if page.incident is not None and page.kind != p.SUMMONS:
        other = or_(other, _newer(page, page.channel, page.address))
    return connection.execute(select(of.id).where(of.id != page.id, other).limit(1)).first() is not None


def has_newer(connection: Connection, page: Delivery, channel: str, address: str) -> bool:
    """Whether a later page of the incident goes, or went, to this address of the same person."""
    newer = select(page_deliveries.c.id).where(_newer(page, channel, address)).limit(1)
    return page.incident is not None and connection.execute(newer).first() is not None


def waiting_of_root(connection: Connection, root: str) -> bool:
    """Whether the page may still leave by any way, or left."""
    of = page_deliveries.c
    alive = (of.root == root, of.state.in_([*p.WAITING, p.SENT]))
    return connection.execute(select(of.id).where(*alive).limit(1)).first() is not None


def pages_of(connection: Connection, incident: int) -> list[Delivery]:
    """Every page of an incident, oldest first. The caller has checked that the incident may be seen."""
    of = page_deliveries.c
    return [
        Delivery(*row) for row in connection.execute(select(*_COLUMNS).where(of.incident == incident).order_by(of.id))
    ]


def pages_of_all(connection: Connection, incident: int) -> list[Delivery]:
    """Every page of an incident and of what went into it."""
    of, at = page_deliveries.c, incidents.c
    merged = select(at.number).where(at.merged_into == incident)
    mine = or_(of.incident == incident, of.incident.in_(merged))
    return [Delivery(*row) for row in connection.execute(select(*_COLUMNS).where(mine).order_by(of.id))]


def earlier_pages(pages: Iterable[Delivery]) -> list[Earlier]:
    return [
        Earlier(page.person, page.channel, page.kind, int(page.data.get("step", 0)), page.state, page.created_at)
        for page in pages
        if page.created_at is not None and page.page_key == page.root
    ]


def tried_channels(pages: Iterable[Delivery]) -> dict[str, set[str]]:
    """By person: on which channels they were called for this incident, or are about to be."""
    found: dict[str, set[str]] = {}
    for page in pages:
        if page.kind in p.CALLS | {p.SUMMONS} and page.reason != "over":
            found.setdefault(page.person, set()).add(page.channel)
    return found


def made_lately(connection: Connection, people: Collection[str], since: datetime) -> dict[str, list[datetime]]:
    """By person: when calls were made for them since."""
    of = page_deliveries.c
    found: dict[str, list[datetime]] = {}
    if people:
        for row in connection.execute(
            select(of.person, of.created_at).where(
                of.person.in_(list(people)), of.created_at > since, of.kind.in_(list(p.CALLS)), of.root == of.page_key
            )
        ):
            found.setdefault(row.person, []).append(row.created_at)
    return found


def list_pages(
    connection: Connection,
    scope: Scope,
    *,
    incident: int | None = None,
    person: str = "",
    state: str = "",
    kind: str = "",
    before: int | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """The newest first. Heartbeats are left out unless asked for."""
    of = page_deliveries.c
    wanted: list[ColumnElement[bool]] = [scope.where(of.agency, of.site)]
    if incident is not None:
        wanted.append(of.incident == incident)
    wanted += [column == value for column, value in ((of.person, person), (of.state, state), (of.kind, kind)) if value]
    if not kind:
        wanted.append(of.kind != p.HEARTBEAT)
    if before is not None:
        wanted.append(of.id < before)
    rows = connection.execute(select(*_COLUMNS).where(*wanted).order_by(of.id.desc()).limit(limit))
    return [Delivery(*row) for row in rows]


def note_decisions(
    connection: Connection, incident: int, whys: Iterable[Why], now: datetime, timer: int | None = None, step: int = 0
) -> None:
    rows = [
        {
            "incident": incident,
            "at": now,
            "timer": timer,
            "step": step,
            "person": why.person,
            "channel": why.channel,
            "stage": why.stage,
            "outcome": why.outcome,
            "detail": why.detail,
        }
        for why in whys
    ]
    if rows:
        connection.execute(insert(page_decisions), rows)


def decisions_of(connection: Connection, incident: int) -> list[Decision]:
    """In the order in which they were made."""
    of = page_decisions.c
    rows = connection.execute(
        select(of.at, of.step, of.stage, of.outcome, of.detail, of.person, of.channel)
        .where(of.incident == incident)
        .order_by(of.id)
    )
    return [
        Decision(row.at, row.step, Why(row.stage, row.outcome, row.detail, row.person, row.channel)) for row in rows
    ]


def last_of_incident(connection: Connection, incident: int) -> Why | None:
    """What a stage last said of the incident as a whole."""
    of = page_decisions.c
    row = connection.execute(
        select(of.stage, of.outcome, of.detail)
        .where(of.incident == incident, of.person == "", of.stage != "route")
        .order_by(of.id.desc())
        .limit(1)
    ).first()
    return Why(row.stage, row.outcome, row.detail) if row is not None else None


def _newer(page: Delivery, channel: str, address: str) -> ColumnElement[bool]:
    of = page_deliveries.c
    same = (of.incident == page.incident, of.person == page.person, of.channel == channel, of.address == address)
    return and_(*same, of.root != page.root, of.id > page.id, of.kind != p.SUMMONS, of.state.in_([*p.WAITING, p.SENT]))


def _is_free(now: datetime, lease: timedelta) -> ColumnElement[bool]:
    """Due, or left behind by whoever claimed it. A lease far in the future was given by a clock that leapt."""
    of = page_deliveries.c
    left = or_(of.lease_until <= now, of.lease_until > now + 2 * lease)
    return or_(and_(of.state == p.QUEUED, of.due_at <= now), and_(of.state == p.SENDING, left))
