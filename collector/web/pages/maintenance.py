"""``/maintenance``: agreed work, what it warns about, and a form to agree to more; ``?view=week`` and ``?view=month``: the same
as a calendar, by Korea's clock or a site's."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.caller import Caller
from collector.access.guard import Announcer, Reader
from collector.errors import Refused
from collector.maintenance.api import NewWindow, agree, change, shown
from collector.maintenance.queries import list_windows
from collector.store.schema import instant
from collector.web import maintenance_calendar as calendar
from collector.web.maintenance_calendar import KOREA, VIEWS
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services

KINDS = ("site", "host", "system")


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    def now() -> datetime:
        return instant(services.clock.wall_ms())

    @routes.get("/maintenance")
    def windows(request: Request, caller: Reader, view: str = "", day: str = "", at: str = "") -> Response:
        if view in VIEWS:
            return _calendar(request, services, caller, view, day, at)
        return page(
            request, services, "maintenance.html", _values(services, caller, now()), frame=frame_of(request, services)
        )

    @routes.post("/maintenance")
    def add(
        caller: Announcer,
        title: Annotated[str, Form()],
        subjects: Annotated[str, Form()],
        timezone: Annotated[str, Form()],
        starts_local: Annotated[str, Form()],
        duration_minutes: Annotated[int, Form()],
        every: Annotated[str, Form()] = "",
        told: Annotated[bool, Form()] = False,
    ) -> Response:
        """``subjects``: ids of sites, hosts (with a dot) and systems, a space or comma between."""
        fleet = services.registry.fleet
        named = [(_kind(name, fleet.systems), name) for name in subjects.replace(",", " ").split()]
        try:
            wanted = NewWindow(
                title=title, subjects=cast("Any", named), timezone=timezone, starts_local=cast("Any", starts_local),
                duration_minutes=duration_minutes, repeat=cast("Any", {"every": every} if every else None), told=told,
            )  # fmt: skip
        except ValidationError as why:
            first = why.errors()[0]
            raise Refused(422, "bad_window", f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from why
        agree(services, caller, wanted, now())
        return RedirectResponse("/maintenance", 303)

    @routes.post("/maintenance/{window}/{what}")
    def act(caller: Announcer, window: int, what: Literal["ended", "told"]) -> Response:
        change(services, caller, window, what, now())
        return RedirectResponse("/maintenance", 303)

    return routes


def _kind(name: str, systems: object) -> str:
    if "." in name:
        return "host"
    return "system" if name in cast("dict[str, object]", systems) else "site"


def _calendar(request: Request, services: Services, caller: Caller, view: str, asked: str, at: str) -> Response:
    frame, fleet = frame_of(request, services), services.registry.fleet
    sites = {name: site for name, site in fleet.sites.items() if caller.scope.allows(site.agency, site.id)}
    site = sites.get(at)
    now = instant(frame.now_ms)
    today = now.astimezone(ZoneInfo(site.timezone) if site is not None else KOREA).date()
    try:
        day = date.fromisoformat(asked) if asked else today
        before, after = calendar.neighbours(view, day)
        calendar.first_day(view, before)
    except (ValueError, OverflowError):
        raise Refused(422, "bad_day", f"day {asked!r}: expected a day such as 2026-07-31") from None
    with services.store.reading() as connection:
        rows = list_windows(connection, fleet, caller.scope)
    weeks = calendar.days_of(view, day, site, rows, fleet, caller.scope, now)

    def to(**other: str) -> str:
        said = {"view": view, "day": day.isoformat(), "at": site.id if site is not None else ""} | other
        return f"/maintenance?{urlencode({name: value for name, value in said.items() if value})}"

    values = {
        "view": view,
        "day": day,
        "today": today,
        "weeks": weeks,
        "warned": calendar.warned(weeks),
        "before": to(day=before.isoformat()),
        "after": to(day=after.isoformat()),
        "to": to,
        "at": site,
        "zone": site.timezone if site is not None else str(KOREA),
        "sites": sorted(sites.values(), key=frame.words.name),
    }
    return page(request, services, "maintenance_calendar.html", values, frame=frame)


def _values(services: Services, caller: Caller, now: datetime) -> dict[str, Any]:
    fleet = services.registry.fleet
    with services.store.reading() as connection:
        rows = [shown(row, fleet, now) for row in list_windows(connection, fleet, caller.scope)]
    ahead = [row for row in rows if row.next]
    ahead.sort(key=lambda row: (not row.is_active, row.next[0].began_at, row.id))
    return {"ahead": ahead, "over": [row for row in reversed(rows) if not row.next][:20], "sites": fleet.sites}
