"""``/api/maintenance``: agreed work; and the two clicks with which a site announces its own shutdown."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.guard import Announcer, Reader
from collector.access.paging import Limit, Page, page
from collector.access.problems import not_found
from collector.errors import Refused
from collector.maintenance import queries
from collector.maintenance.occurrence import Repeat, Schedule, active_at, occurrences
from collector.maintenance.queries import SHUTDOWN, WindowRow
from collector.maintenance.warning import warnings_of
from collector.store.schema import instant
from collector.store.scope import Scope

if TYPE_CHECKING:
    from collector.fleet.registry import Fleet
    from collector.services import Services

log = logging.getLogger(__name__)
LONGEST_MINUTES = 31 * 24 * 60
SHOWN_OCCURRENCES = 5
Subject = tuple[Literal["site", "host", "system", "hub", "region", "link"], str]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Repeats(BaseModel):
    """``weekdays`` of weekly work, empty = the first one's; ``until``: the last local day it may begin on."""

    every: Literal["day", "week", "month"]
    weekdays: list[Day] = []
    until: date | None = None


class NewWindow(BaseModel):
    """``starts_local`` is the clock on the wall of ``timezone``; ``told``: the sites were told already. Of ``subjects`` a
    ``hub`` is the hub alone, a ``region`` (by its hub) the hub with every site behind it, a ``link`` one line."""

    title: str = Field(min_length=1, max_length=200)
    subjects: list[Subject] = Field(min_length=1, max_length=1_000)
    timezone: str
    starts_local: datetime
    duration_minutes: int = Field(ge=1, le=LONGEST_MINUTES)
    repeat: Repeats | None = None
    told: bool = False


class Warned(BaseModel):
    """``business_hours``: it meets them at that site, first from ``began_at`` on; ``not_told``; ``no_site``: nothing is
    known where this is; ``unseen``: so many ``sites`` behind ``hub`` are not seen while it is away."""

    code: str
    site: str
    began_at: datetime | None
    ended_at: datetime | None
    hub: str = ""
    sites: int = 0


class Span(BaseModel):
    began_at: datetime
    ended_at: datetime


class Window(BaseModel):
    """``kind`` planned, or shutdown: announced by the site. ``next``: occurrences from now on."""

    id: int
    title: str
    kind: str
    subjects: list[Subject]
    timezone: str
    starts_local: datetime
    duration_minutes: int
    repeat: Repeats | None
    notified_at: datetime | None
    created_at: datetime
    created_by: str
    ended_at: datetime | None
    is_active: bool
    next: list[Span]
    warnings: list[Warned]


class Shutdown(BaseModel):
    """For so many minutes, from now on or from ``starts_local`` on: the clock on the wall of the site."""

    minutes: int = Field(default=120, ge=5, le=LONGEST_MINUTES)
    starts_local: datetime | None = None
    title: str = Field(default="", max_length=200)


def router(services: Services) -> APIRouter:
    routes = APIRouter(tags=["maintenance"])
    store = services.store

    def now() -> datetime:
        return instant(services.clock.wall_ms())

    @routes.get("/api/maintenance")
    def windows(caller: Reader, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100) -> Page[Window]:
        """Windows by number, those that are over too."""
        fleet = services.registry.fleet
        with store.reading() as connection:
            rows = queries.list_windows(connection, fleet, caller.scope, after, limit + 1)
        return page([shown(row, fleet, now(), caller.scope) for row in rows], [str(row.id) for row in rows], limit)

    @routes.post("/api/maintenance", status_code=201)
    def add(caller: Announcer, wanted: NewWindow, dry_run: bool = False) -> Window:
        """Agree to work. With ``dry_run`` nothing is kept: the answer says what would be, and warns."""
        return shown(
            agree(services, caller, wanted, now(), dry_run=dry_run), services.registry.fleet, now(), caller.scope
        )

    @routes.get("/api/maintenance/{window}")
    def one(caller: Reader, window: int) -> Window:
        return shown(_find(services, caller, window), services.registry.fleet, now(), caller.scope)

    @routes.post("/api/maintenance/{window}/end")
    def end(caller: Announcer, window: int) -> Window:
        """Cut it short, or cancel what has not begun."""
        return shown(change(services, caller, window, "ended", now()), services.registry.fleet, now(), caller.scope)

    @routes.post("/api/maintenance/{window}/told")
    def told(caller: Announcer, window: int) -> Window:
        """The sites were told."""
        return shown(change(services, caller, window, "told", now()), services.registry.fleet, now(), caller.scope)

    @routes.post("/api/sites/{site}/shutdown", status_code=201)
    def shutdown(caller: Announcer, site: str, wanted: Shutdown) -> Window:
        """Announce that the site goes dark on purpose."""
        row = announce(services, caller, site, wanted.minutes, wanted.title, now(), wanted.starts_local)
        return shown(row, services.registry.fleet, now(), caller.scope)

    return routes


def agree(services: Services, caller: Caller, wanted: NewWindow, now: datetime, *, dry_run: bool = False) -> WindowRow:
    """Keep a window. Raises Refused where the zone is none, or something it names is not the caller's."""
    if wanted.timezone not in available_timezones():
        raise Refused(422, "bad_timezone", f"timezone {wanted.timezone!r}: expected a name such as 'Asia/Seoul'.")
    for kind, name in wanted.subjects:
        if not queries.may_cover((kind, name), services.registry.fleet, caller.scope):
            raise not_found(kind, name)
    asked = wanted.repeat
    repeat = None if asked is None else Repeat(asked.every, tuple(asked.weekdays), asked.until)
    local = wanted.starts_local.replace(tzinfo=None, second=0, microsecond=0)
    schedule = Schedule(wanted.timezone, local, wanted.duration_minutes, repeat)
    told_at = now if wanted.told else None
    subjects = [(str(kind), name) for kind, name in wanted.subjects]
    return _keep(services, caller, (wanted.title, queries.PLANNED), subjects, schedule, told_at, now, dry_run=dry_run)


def announce(
    services: Services,
    caller: Caller,
    site: str,
    minutes: int,
    title: str,
    now: datetime,
    starts_local: datetime | None = None,
) -> WindowRow:
    """A site's own shutdown, from now on or from ``starts_local`` by its own clock. Raises Refused where the site is not
    the caller's."""
    entry = services.registry.fleet.sites.get(site)
    if entry is None or not caller.scope.allows(entry.agency, entry.id):
        raise not_found("site", site)
    local = (starts_local or now.astimezone(ZoneInfo(entry.timezone))).replace(tzinfo=None, second=0, microsecond=0)
    schedule = Schedule(entry.timezone, local, minutes)
    return _keep(services, caller, (title or "planned shutdown", SHUTDOWN), [("site", site)], schedule, now, now)


def change(services: Services, caller: Caller, window: int, what: Literal["ended", "told"], now: datetime) -> WindowRow:
    row = _find(services, caller, window)
    if not queries.may_change(row.subjects, services.registry.fleet, caller.scope):
        raise Refused(403, "not_yours", f"maintenance window {window} covers what is not yours: ask who agreed to it.")
    with services.store.transaction() as connection:
        (queries.end_window if what == "ended" else queries.notify_window)(connection, window, now)
        record(connection, now, caller.name, f"maintenance.{what}", str(window))
    services.windows.changed()
    log.info("maintenance window was changed", extra={"window": window, "what": what, "by": caller.name})
    return _find(services, caller, window)


def _keep(
    services: Services,
    caller: Caller,
    named: tuple[str, str],
    subjects: list[tuple[str, str]],
    schedule: Schedule,
    told_at: datetime | None,
    now: datetime,
    *,
    dry_run: bool = False,
) -> WindowRow:
    title, kind = named
    if dry_run:
        return WindowRow(0, title, kind, tuple(subjects), schedule, told_at, now, caller.name)
    with services.store.transaction() as connection:
        number = queries.add_window(connection, title, kind, subjects, schedule, told_at, now, caller.name)
        told = {"kind": kind, "subjects": [list(each) for each in subjects], "minutes": schedule.duration_minutes}
        record(connection, now, caller.name, "maintenance.agree", str(number), told)
    services.windows.changed()
    log.info("maintenance window was agreed", extra={"window": number, "kind": kind, "by": caller.name})
    return WindowRow(number, title, kind, tuple(subjects), schedule, told_at, now, caller.name)


def _find(services: Services, caller: Caller, window: int) -> WindowRow:
    with services.store.reading() as connection:
        row = queries.find_window(connection, services.registry.fleet, caller.scope, window)
    if row is None:
        raise not_found("maintenance window", str(window))
    return row


def _is_told(site: str, fleet: Fleet, scope: Scope) -> bool:
    return not site or queries.may_see(("site", site), fleet, scope)


def shown(row: WindowRow, fleet: Fleet, now: datetime, scope: Scope) -> Window:
    """With warnings of those sites alone that the caller may see."""
    schedule, repeat = row.schedule, row.schedule.repeat
    ahead = []
    horizon = timedelta(days=400 if repeat is not None else 40_000)  # what is agreed once is ahead, however far
    for began, ended in occurrences(schedule, now, now + horizon):
        ahead.append(Span(began_at=began, ended_at=ended))
        if len(ahead) == SHOWN_OCCURRENCES:
            break
    warned = warnings_of(
        schedule, row.subjects, fleet, now, is_told=row.notified_at is not None or row.kind == SHUTDOWN
    )
    return Window(
        id=row.id,
        title=row.title,
        kind=row.kind,
        subjects=[(kind, name) for kind, name in row.subjects],  # type: ignore[misc]
        timezone=schedule.timezone,
        starts_local=schedule.starts_local,
        duration_minutes=schedule.duration_minutes,
        repeat=None
        if repeat is None
        else Repeats(every=repeat.every, weekdays=list(repeat.weekdays), until=repeat.until),  # type: ignore[arg-type]
        notified_at=row.notified_at,
        created_at=row.created_at.astimezone(UTC),
        created_by=row.created_by,
        ended_at=schedule.ended_at,
        is_active=active_at(schedule, now) is not None,
        next=ahead,
        warnings=[Warned(**each._asdict()) for each in warned if _is_told(each.site, fleet, scope)] if ahead else [],
    )
