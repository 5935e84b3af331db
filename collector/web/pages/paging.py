"""``/paging``: whether calls arrive: channels and their health, test pages with the time until they were answered, and the
noise review: how often people are called, how much of it led to anything, and which rules call in vain."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.guard import Reader, Writer
from collector.errors import Refused
from collector.pages.noise_queries import noise_of
from collector.pages.page import CALLS, TEST
from collector.pages.queries import list_pages
from collector.pages.watch_queries import read_health
from collector.people.queries import whole_book
from collector.rosters.compile import ground_of
from collector.rosters.queries import is_seen, load_rosters
from collector.rules.runbook import load_runbook
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.web import paging_view
from collector.web.people_names import PeopleNames
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services

DAYS = (7, 30, 90)
SHOWN_TESTS = 40
SHOWN_CALLS, LOOKED_AT = 20, 200
SAID = ("tested", "nobody")


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/paging")
    def paging(request: Request, caller: Reader, days: int = 7, said: str = "") -> Response:
        return show(request, services, caller, days if days in DAYS else DAYS[0], said if said in SAID else "")

    @routes.post("/paging/tests", response_model=None)
    def test(caller: Writer, roster: Annotated[str, Form(max_length=64)] = "") -> Response:
        if caller.scope != EVERYTHING:
            raise Refused(403, "not_allowed", "Test pages call people of every agency: ask the operating centre.")
        office, now = services.response.pages, instant(services.clock.wall_ms())
        with services.store.transaction() as connection:
            made = office.drill.call(connection, now, round(now.timestamp()), roster)
            record(connection, now, caller.name, "page.test", roster or "all", {"pages": made})
        office.deliveries.wake()
        return RedirectResponse(f"/paging?said={'tested' if made else 'nobody'}#tests", 303)

    return routes


def show(request: Request, services: Services, caller: Caller, days: int, said: str) -> Response:
    frame, now = frame_of(request, services), instant(services.clock.wall_ms())
    fleet, office = services.registry.fleet, services.response.pages
    is_centre = caller.scope == EVERYTHING
    with services.store.reading() as connection:
        health = read_health(connection)
        tested = list_pages(connection, caller.scope, kind=TEST, limit=SHOWN_TESTS)
        lately = [one for one in list_pages(connection, caller.scope, limit=LOOKED_AT) if one.kind in CALLS]
        noise = noise_of(connection, caller.scope, fleet, now - timedelta(days=days), now)
        rosters = {one.id: one for one in load_rosters(connection) if is_seen(caller.scope, one)}
        book = whole_book(connection)
    names = PeopleNames(book, frame.language)
    deaf = paging_view.deaf(rosters.values(), ground_of(fleet), book.people, office.ways.configured, now)
    tests, calls = paging_view.tried(tested), paging_view.tried(lately)
    values: dict[str, Any] = {
        "said": said,
        "channels": [(name, health.get(name), name in office.senders) for name in sorted({*office.senders, *health})],
        "may_read_errors": is_centre,
        "deaf": deaf if caller.may("answer") or caller.may("audit") else [],
        "tests": tests,
        "middle": paging_view.middle_seconds(tests),
        "calls": calls[:SHOWN_CALLS],
        "calls_middle": paging_view.middle_seconds(calls),
        "settings": services.settings.paging,
        "noise": noise,
        "days": days,
        "all_days": DAYS,
        "by_roster": paging_view.by_roster(noise),
        "noisy": paging_view.noisy(noise.rules),
        "runbooks": {r.reason for r in noise.rules if load_runbook(r.reason, frame.language) is not None},
        "rosters": rosters,
        "names": names,
        "may_test": is_centre and caller.may("work") and not services.is_hub,
    }
    return page(request, services, "paging.html", values, frame=frame)
