"""SQL of maintenance windows, and which of them hold now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, or_, select, update

from collector.fleet.registry import Fleet
from collector.maintenance.occurrence import Repeat, Schedule, Span, active_at, occurrences
from collector.maintenance.reach import HUB, LINK, REGION, SITE, SYSTEM, Subject, behind, covered
from collector.maintenance.tables import maintenance_windows
from collector.store.engine import Store
from collector.store.scope import EVERYTHING, Scope

PLANNED, SHUTDOWN = "planned", "shutdown"
KINDS = (PLANNED, SHUTDOWN)


@dataclass(frozen=True, slots=True)
class WindowRow:
    id: int
    title: str
    kind: str
    subjects: tuple[Subject, ...]
    schedule: Schedule
    notified_at: datetime | None
    created_at: datetime
    created_by: str


def add_window(
    connection: Connection,
    title: str,
    kind: str,
    subjects: Iterable[Subject],
    schedule: Schedule,
    notified_at: datetime | None,
    now: datetime,
    created_by: str,
) -> int:
    repeat = schedule.repeat
    row = {
        "title": title,
        "kind": kind,
        "subjects": [list(subject) for subject in subjects],
        "timezone": schedule.timezone,
        "starts_local": schedule.starts_local.strftime("%Y-%m-%dT%H:%M"),
        "duration_minutes": schedule.duration_minutes,
        "repeat": None if repeat is None else {
            "every": repeat.every,
            "weekdays": list(repeat.weekdays),
            "until": repeat.until.isoformat() if repeat.until else None,
        },
        "notified_at": notified_at,
        "created_at": now,
        "created_by": created_by,
    }  # fmt: skip
    made = connection.execute(insert(maintenance_windows).values(**row))
    return int(made.inserted_primary_key[0])  # type: ignore[index]


def end_window(connection: Connection, window: int, now: datetime) -> None:
    """Nothing of it is from now on."""
    at = maintenance_windows.c
    connection.execute(update(maintenance_windows).where(at.id == window, at.ended_at.is_(None)).values(ended_at=now))


def notify_window(connection: Connection, window: int, now: datetime) -> None:
    at = maintenance_windows.c
    connection.execute(update(maintenance_windows).where(at.id == window).values(notified_at=now))


def list_windows(
    connection: Connection, fleet: Fleet, scope: Scope, after: int = 0, limit: int = 1_000
) -> list[WindowRow]:
    """Windows by number, as far as the caller sees something they cover."""
    rows = connection.execute(
        select(maintenance_windows).where(maintenance_windows.c.id > after).order_by(maintenance_windows.c.id)
    )
    found = []
    for row in rows:
        window = _window(row)
        if is_seen(window, fleet, scope):
            found.append(window)
            if len(found) == limit:
                break
    return found


def find_window(connection: Connection, fleet: Fleet, scope: Scope, window: int) -> WindowRow | None:
    row = connection.execute(select(maintenance_windows).where(maintenance_windows.c.id == window)).first()
    found = _window(row) if row is not None else None
    return found if found is not None and is_seen(found, fleet, scope) else None


def open_windows(connection: Connection, now: datetime) -> list[WindowRow]:
    """Windows that were not ended, or only just."""
    at = maintenance_windows.c
    rows = connection.execute(select(maintenance_windows).where(or_(at.ended_at.is_(None), at.ended_at > now)))
    return [_window(row) for row in rows]


def is_seen(window: WindowRow, fleet: Fleet, scope: Scope) -> bool:
    return scope == EVERYTHING or any(may_see(subject, fleet, scope) for subject in window.subjects)


def may_see(subject: Subject, fleet: Fleet, scope: Scope) -> bool:
    """Whether a thing is there and the caller's to see; a hub is whoever's that sees a site behind it."""
    return _reaches(subject, fleet, scope, any)


def may_cover(subject: Subject, fleet: Fleet, scope: Scope) -> bool:
    """Whether work on it is the caller's to agree to: a hub only where every site behind it is the caller's."""
    return _reaches(subject, fleet, scope, all)


def may_change(subjects: Iterable[Subject], fleet: Fleet, scope: Scope) -> bool:
    """Whether everything a window names, as far as that is still there, is the caller's."""
    return all(may_cover(subject, fleet, scope) or not may_cover(subject, fleet, EVERYTHING) for subject in subjects)


def _reaches(subject: Subject, fleet: Fleet, scope: Scope, of: Callable[[Iterable[bool]], bool]) -> bool:
    """``of``: of the sites behind a hub, how many have to be the caller's."""
    kind, name = subject
    if kind not in (HUB, REGION):
        return _is_own(subject, fleet, scope)
    seen = (_sees(site, fleet, scope) for site in behind(name, fleet))
    return name in fleet.hubs and (scope == EVERYTHING or of(seen))


def _is_own(subject: Subject, fleet: Fleet, scope: Scope) -> bool:
    kind, name = subject
    if kind == SITE:
        return _sees(name, fleet, scope)
    if kind == LINK:
        return name in fleet.links and _sees(fleet.links[name].site, fleet, scope)
    if kind == SYSTEM:
        system = fleet.systems.get(name)
        return (
            system is not None and (scope.agencies is None or system.agency in scope.agencies) and scope.sites is None
        )
    host = fleet.hosts.get(name)
    return host is not None and scope.allows(host.agency, host.site)


def _sees(site: str, fleet: Fleet, scope: Scope) -> bool:
    entry = fleet.sites.get(site)
    return entry is not None and scope.allows(entry.agency, entry.id)


def _window(row: Any) -> WindowRow:
    repeat = None
    if row.repeat is not None:
        until = row.repeat.get("until")
        repeat = Repeat(
            row.repeat["every"], tuple(row.repeat["weekdays"]), date.fromisoformat(until) if until else None
        )
    local = datetime.strptime(row.starts_local, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 the clock on the wall of its zone
    schedule = Schedule(row.timezone, local, row.duration_minutes, repeat, row.ended_at)
    subjects = tuple((kind, name) for kind, name in row.subjects)
    return WindowRow(row.id, row.title, row.kind, subjects, schedule, row.notified_at, row.created_at, row.created_by)


class Held(NamedTuple):
    """A window that holds now."""

    id: int
    kind: str
    began_at: datetime
    ended_at: datetime


class Windows:
    """Which windows hold now; read anew every few seconds, for another process may have agreed to one. A region's covers the
    sites that the fleet has behind its hub at that instant."""

    READ_AGAIN = timedelta(seconds=5)

    def __init__(self, store: Store, fleet: Callable[[], Fleet] = Fleet) -> None:
        self._store = store
        self._fleet = fleet
        self._known: list[tuple[WindowRow, tuple[Subject, ...]]] = []
        self._known_of: Fleet | None = None
        self._read_at: datetime | None = None

    def changed(self) -> None:
        """Read at the next look."""
        self._read_at = None

    def spans(self, from_at: datetime, to_at: datetime) -> list[tuple[Subject, Span]]:
        """When each thing covered by one was worked on, also in windows that ended early."""
        with self._store.reading() as connection:
            known = open_windows(connection, from_at)
        fleet = self._fleet()
        return [
            (subject, span)
            for window in known
            for span in occurrences(window.schedule, from_at, to_at)
            for subject in covered(window.subjects, fleet)
        ]

    def active(self, now: datetime) -> Mapping[Subject, Held]:
        """The window that holds for each thing covered by one."""
        fleet = self._fleet()
        is_old = self._read_at is None or not timedelta(0) <= now - self._read_at < self.READ_AGAIN
        if is_old or fleet is not self._known_of:
            with self._store.reading() as connection:
                rows = open_windows(connection, now)
            self._known = [(row, covered(row.subjects, fleet)) for row in rows]
            self._known_of, self._read_at = fleet, now
        found: dict[Subject, Held] = {}
        for row, subjects in self._known:
            span = active_at(row.schedule, now)
            if span is not None:
                found |= dict.fromkeys(subjects, Held(row.id, row.kind, *span))
        return found
