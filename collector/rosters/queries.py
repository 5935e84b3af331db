"""SQL of rosters: what the file says, and what pages and the API keep besides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from collector.access.queries import secret_hash
from collector.errors import UsageError
from collector.people.tables import team_members
from collector.rosters.compile import compiled
from collector.rosters.roster import Override, Roster
from collector.rosters.tables import handovers, roster_days_off, roster_feeds, roster_overrides, rosters
from collector.store.scope import Scope

MOST_HANDOVERS = 20


@dataclass(frozen=True, slots=True)
class Feed:
    id: int
    kind: str
    subject: str
    language: str


@dataclass(frozen=True, slots=True)
class Handover:
    id: int
    roster: str
    from_people: tuple[str, ...]
    to_people: tuple[str, ...]
    changes_at: datetime | None
    note: str
    failing: tuple[tuple[Any, ...], ...]
    written_at: datetime
    written_by: str
    received_at: datetime | None
    received_by: str


def load_rosters(connection: Connection) -> list[Roster]:
    """Every roster with everything that changes it, by id. Whom it is shown to: ``is_seen``."""
    teams: dict[str, list[str]] = {}
    for row in connection.execute(select(team_members).order_by(team_members.c.position)):
        teams.setdefault(row.team, []).append(row.person)
    days: dict[str, list[date]] = {}
    for row in connection.execute(select(roster_days_off)):
        days.setdefault(row.roster, []).append(date.fromisoformat(row.day))
    changed: dict[str, list[Override]] = {}
    for row in connection.execute(
        select(roster_overrides).where(roster_overrides.c.cancelled_at.is_(None)).order_by(roster_overrides.c.id)
    ):
        changed.setdefault(row.roster, []).append(
            Override(
                row.id, row.layer, row.person_out, row.person_in, row.began_at, row.ended_at, row.reason, row.created_by
            )
        )
    return [
        compiled(row.definition, teams, days.get(row.id, ()), changed.get(row.id, ()))
        for row in connection.execute(select(rosters).order_by(rosters.c.id))
    ]


def is_seen(scope: Scope, roster: Roster) -> bool:
    """Its own agency sees a roster, and so does whoever's sites it is for."""
    if scope.agencies is not None and not (
        roster.agency in scope.agencies or not roster.agencies or scope.agencies & set(roster.agencies)
    ):
        return False
    return scope.sites is None or not roster.sites or bool(scope.sites & set(roster.sites))


def may_change(scope: Scope, roster: Roster) -> bool:
    """Only its own agency changes a roster, and one limited to sites only where it is for no other."""
    if scope.agencies is not None and roster.agency not in scope.agencies:
        return False
    return scope.sites is None or (bool(roster.sites) and set(roster.sites) <= scope.sites)


def add_override(
    connection: Connection,
    roster: Roster,
    *,
    out: str,
    instead: str,
    began_at: datetime,
    ended_at: datetime,
    now: datetime,
    by: str,
    layer: str = "",
    reason: str = "",
    source: str = "",
) -> int:
    """Its number. Raises UsageError where it says nothing, or of somebody or a layer that is not there."""
    if not out and not instead:
        raise UsageError("an override names who is out, who is on duty instead, or both")
    if out == instead:
        raise UsageError(f"{out!r} cannot stand in for themselves")
    if ended_at <= began_at:
        raise UsageError("an override ends after it begins")
    if layer and layer not in {each.name for each in roster.layers}:
        raise UsageError(f"roster {roster.id!r} has no layer {layer!r}")
    done = connection.execute(
        insert(roster_overrides).values(
            roster=roster.id,
            layer=layer,
            person_out=out,
            person_in=instead,
            began_at=began_at,
            ended_at=ended_at,
            reason=reason,
            source=source,
            created_at=now,
            created_by=by,
        )
    )
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def cancel_override(connection: Connection, roster: str, number: int, now: datetime) -> bool:
    """Whether there was one that still held."""
    of = roster_overrides.c
    held = (of.id == number, of.roster == roster, of.cancelled_at.is_(None))
    return bool(connection.execute(update(roster_overrides).where(*held).values(cancelled_at=now)).rowcount)


def cancel_imported(connection: Connection, roster: str, person: str, now: datetime) -> None:
    """What came from this person's calendar before: a new copy of the calendar replaces the old one."""
    of = roster_overrides.c
    held = (of.roster == roster, of.person_out == person, of.source != "", of.cancelled_at.is_(None))
    connection.execute(update(roster_overrides).where(*held).values(cancelled_at=now))


def replace_days_off(connection: Connection, roster: str, days: Iterable[tuple[date, str]]) -> None:
    connection.execute(delete(roster_days_off).where(roster_days_off.c.roster == roster))
    rows = [{"roster": roster, "day": day.isoformat(), "name": name} for day, name in dict(days).items()]
    if rows:
        connection.execute(insert(roster_days_off), rows)


def add_feed(
    connection: Connection, secret: str, kind: str, subject: str, language: str, now: datetime, by: str
) -> int:
    done = connection.execute(
        insert(roster_feeds).values(
            hash=secret_hash(secret), kind=kind, subject=subject, language=language, created_at=now, created_by=by
        )
    )
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def find_feed(connection: Connection, secret: str) -> Feed | None:
    of = roster_feeds.c
    row = connection.execute(
        select(roster_feeds).where(of.hash == secret_hash(secret), of.revoked_at.is_(None))
    ).first()
    return None if row is None else Feed(row.id, row.kind, row.subject, row.language)


def list_feeds(connection: Connection) -> list[Any]:
    columns = [column for column in roster_feeds.c if column.name != "hash"]
    return list(connection.execute(select(*columns).where(roster_feeds.c.revoked_at.is_(None)).order_by(columns[0])))


def revoke_feed(connection: Connection, number: int, now: datetime) -> None:
    connection.execute(update(roster_feeds).where(roster_feeds.c.id == number).values(revoked_at=now))


def write_handover(
    connection: Connection,
    roster: str,
    *,
    from_people: Iterable[str],
    to_people: Iterable[str],
    changes_at: datetime | None,
    note: str,
    failing: Iterable[tuple[Any, ...]],
    now: datetime,
    by: str,
) -> int:
    done = connection.execute(
        insert(handovers).values(
            roster=roster,
            from_people=tuple(from_people),
            to_people=tuple(to_people),
            changes_at=changes_at,
            note=note,
            failing=tuple(failing),
            written_at=now,
            written_by=by,
            received_by="",
        )
    )
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def receive_handover(connection: Connection, roster: str, number: int, by: str, now: datetime) -> bool:
    """Whether it waited to be received. The first who does is who did."""
    of = handovers.c
    waiting = (of.id == number, of.roster == roster, of.received_at.is_(None))
    done = connection.execute(update(handovers).where(*waiting).values(received_at=now, received_by=by))
    return bool(done.rowcount)


def list_handovers(connection: Connection, roster: str, limit: int = MOST_HANDOVERS) -> list[Handover]:
    """The newest first."""
    rows = connection.execute(
        select(handovers).where(handovers.c.roster == roster).order_by(handovers.c.id.desc()).limit(limit)
    )
    return [
        Handover(
            r.id,
            r.roster,
            r.from_people,
            r.to_people,
            r.changes_at,
            r.note,
            r.failing,
            r.written_at,
            r.written_by,
            r.received_at,
            r.received_by,
        )
        for r in rows
    ]
