"""``/maintenance``: agreed work, what it warns about, and a form to agree to more; ``?view=week`` and ``?view=month``: the same
as a calendar, by Korea's clock or a site's."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.caller import Caller
from collector.access.guard import Announcer, Reader
from collector.errors import Refused
from collector.fleet.registry import Site
from collector.maintenance.api import agree, change, shown
from collector.maintenance.queries import list_windows, may_change, may_cover, may_see
from collector.maintenance.reach import HUB, LINK
from collector.store.schema import instant
from collector.web import maintenance_calendar as calendar
from collector.web.maintenance_calendar import KOREA, VIEWS
from collector.web.render import Frame, frame_of, page
from collector.web.window_form import Said, window_of

if TYPE_CHECKING:
    from collector.services import Services

OFFERED_LINES = 300
"""More would make a long page of a list that nobody reads."""
Text = Annotated[str, Form(max_length=4_000)]


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    def now() -> datetime:
        return instant(services.clock.wall_ms())

    @routes.get("/maintenance")
    def windows(request: Request, caller: Reader, view: str = "", day: str = "", at: str = "") -> Response:
        """``at``: the site whose clock the calendar has, and that the form begins with."""
        if view in VIEWS:
            return _calendar(request, services, caller, view, day, at)
        frame = frame_of(request, services)
        site = _sites(services, caller).get(at)
        said = Said() if site is None else Said(subjects=frame.words.name(site))
        return page(request, services, "maintenance.html", _values(services, caller, now(), frame, said), frame=frame)

    @routes.post("/maintenance")
    def add(
        request: Request,
        caller: Announcer,
        title: Text = "",
        subjects: Text = "",
        timezone: Text = "",
        starts_local: Text = "",
        duration_minutes: Text = "",
        every: Text = "",
        told: Annotated[bool, Form()] = False,
        with_sites: Annotated[bool, Form()] = False,
    ) -> Response:
        said = Said(title, subjects, timezone, starts_local, duration_minutes, every, told, with_sites)
        try:
            agree(services, caller, window_of(said, services.registry.fleet), now())
        except Refused as why:
            frame = frame_of(request, services)
            values = _values(services, caller, now(), frame, said, why)
            return page(request, services, "maintenance.html", values, status=why.status, frame=frame)
        return RedirectResponse("/maintenance", 303)

    @routes.post("/maintenance/{window}/{what}")
    def act(caller: Announcer, window: int, what: Literal["ended", "told"]) -> Response:
        change(services, caller, window, what, now())
        return RedirectResponse("/maintenance", 303)

    return routes


def _calendar(request: Request, services: Services, caller: Caller, view: str, asked: str, at: str) -> Response:
    frame, fleet = frame_of(request, services), services.registry.fleet
    sites = _sites(services, caller)
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


def _sites(services: Services, caller: Caller) -> dict[str, Site]:
    return {id_: site for id_, site in services.registry.fleet.sites.items() if caller.scope.allows(site.agency, id_)}


def _values(
    services: Services, caller: Caller, now: datetime, frame: Frame, said: Said, fault: Refused | None = None
) -> dict[str, Any]:
    """``said`` is what the form holds, ``fault`` why it was refused."""
    fleet = services.registry.fleet
    with services.store.reading() as connection:
        rows = [shown(row, fleet, now, caller.scope) for row in list_windows(connection, fleet, caller.scope)]
    ahead = [row for row in rows if row.next]
    ahead.sort(key=lambda row: (not row.is_active, row.next[0].began_at, row.id))
    lines = [link.id for link in fleet.links.values() if may_cover((LINK, link.id), fleet, caller.scope)]
    mine = sorted(_sites(services, caller).values(), key=frame.words.name)
    return {
        "ahead": ahead,
        "over": [row for row in reversed(rows) if not row.next][:20],
        "sites": fleet.sites,
        "hubs": fleet.hubs,
        "my_hubs": [one for one in fleet.hubs.values() if may_cover((HUB, one.id), fleet, caller.scope)],
        "my_links": lines if len(lines) <= OFFERED_LINES else [],
        "may_end": {row.id for row in rows if may_change(row.subjects, fleet, caller.scope)},
        "systems": [one for one in fleet.systems.values() if may_see(("system", one.id), fleet, caller.scope)],
        "said": said,
        "fault": fault,
        "mine": mine,
        "zones": sorted({site.timezone for site in mine}),
    }
