"""``/oncall``: per roster who is on duty now, next and in the coming days, where nobody is, and who would be called for a
site; substitutions, hand-over notes and calendar addresses are made here."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.caller import Caller
from collector.access.guard import Leader, Reader, Writer
from collector.access.problems import not_found
from collector.errors import Refused, UsageError
from collector.fleet.registry import Site
from collector.incidents.signal import CRITICAL, SEVERITIES
from collector.pages.who_queries import ask_who
from collector.people.person import Person
from collector.people.queries import may_reach, note_view
from collector.rosters.asked import (
    NOTE_CHARS,
    Known,
    known,
    names_of,
    now_of,
    take_cancel,
    take_handover,
    take_override,
    to_change,
)
from collector.rosters.feed_api import Member, make_feed, take_absences, take_days_off
from collector.rosters.instants import read_instant
from collector.rosters.queries import list_handovers, may_change, receive_handover
from collector.web import who_view
from collector.web.duty_view import own_turns, roster_view
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services

Text = Annotated[str, Form(max_length=200)]
SHOWN_NOTES = 5
MOST_FILE_BYTES = 4 << 20
"""Of a calendar file: a year of a whole team is a tenth of that."""
MINE = "\0mine"
"""In place of a roster's id: the calendar is one's own."""


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/oncall")
    def oncall(request: Request, caller: Reader, site: str = "", at: str = "", severity: str = "") -> Response:
        return show(request, services, caller, site=site, at=at, severity=severity)

    @routes.post("/oncall/{roster}/overrides", response_model=None)
    def override(
        caller: Leader, roster: str, began: Text, ended: Text, out: Text = "", instead: Text = "", layer: Text = "",
        reason: Text = "",
    ) -> Response:  # fmt: skip
        take_override(
            services, caller, roster, out=out, instead=instead, began=began, ended=ended, layer=layer, reason=reason
        )
        return back(roster)

    @routes.post("/oncall/{roster}/overrides/{number}/cancel", response_model=None)
    def cancel(caller: Leader, roster: str, number: int) -> Response:
        take_cancel(services, caller, roster, number)
        return back(roster)

    @routes.post("/oncall/{roster}/calendar-file", response_model=None)
    def calendar_file(
        request: Request,
        caller: Leader,
        roster: str,
        file: UploadFile,
        person: Annotated[str, Form(max_length=64)] = "",
    ) -> Response:
        """Absences of a person, or without one days off of the whole roster; the answer says what was not taken."""
        body = file.file.read(MOST_FILE_BYTES + 1)
        if len(body) > MOST_FILE_BYTES:
            raise Refused(413, "too_large", f"A calendar has {MOST_FILE_BYTES} bytes at most.")
        if person:
            taken = take_absences(services, caller, roster, person, body)
        else:
            taken = take_days_off(services, caller, roster, body)
        return show(request, services, caller, taken=(roster, taken["taken"], taken["skipped"]))

    @routes.post("/oncall/{roster}/handovers", response_model=None)
    def handover(caller: Writer, roster: str, note: Annotated[str, Form(max_length=NOTE_CHARS)]) -> Response:
        take_handover(services, caller, roster, note)
        return back(roster)

    @routes.post("/oncall/{roster}/handovers/{number}/received", response_model=None)
    def received(caller: Writer, roster: str, number: int) -> Response:
        to_change(services, caller, roster)
        with services.store.transaction() as connection:
            if not receive_handover(connection, roster, number, caller.name, now_of(services)):
                raise not_found("hand-over note to be received", str(number))
        return back(roster)

    @routes.post("/oncall/my-calendar", response_model=None)
    def own_calendar(request: Request, caller: Member) -> Response:
        frame = frame_of(request, services)
        me = mine(known(services, caller), caller)
        if me is None:
            raise not_found("person with this login", caller.name)
        _, secret = make_feed(services, caller, "person", me.id, frame.language)
        return show(request, services, caller, address=(MINE, f"{services.settings.server.url}/feeds/{secret}.ics"))

    @routes.post("/oncall/{roster}/calendar", response_model=None)
    def calendar(request: Request, caller: Writer, roster: str) -> Response:
        language = frame_of(request, services).language
        _, secret = make_feed(services, caller, "roster", roster, language)
        # Shown in the answer itself: a redirect would write the secret into histories.
        address = f"{services.settings.server.url}/feeds/{secret}.ics"
        return show(request, services, caller, address=(roster, address))

    return routes


def show(
    request: Request,
    services: Services,
    caller: Caller,
    *,
    site: str = "",
    at: str = "",
    severity: str = "",
    address: tuple[str, str] = ("", ""),
    taken: tuple[str, int, list[str]] = ("", 0, []),
) -> Response:
    """The page; ``address`` = (roster, a calendar's address) right after it was made; ``taken`` = (roster, how many entries of
    a calendar file were taken, and why others were not)."""
    found, now = known(services, caller), now_of(services)
    frame = replace(frame_of(request, services), path="/oncall")
    with services.store.reading() as connection:
        notes = {roster.id: list_handovers(connection, roster.id, SHOWN_NOTES) for roster in found.rosters}
    fleet = services.registry.fleet
    seen = [each for each in fleet.sites.values() if caller.scope.allows(each.agency, each.id)]
    chosen = next((each for each in seen if each.id == site), None)
    me = mine(found, caller)
    severity = severity if severity in SEVERITIES else CRITICAL
    values = {
        "me": me,
        "mine_key": MINE,
        "now_at": now,
        "own_turns": own_turns(found.rosters, found.ground, me.id, now) if me is not None else (),
        "views": [roster_view(roster, found.ground, now) for roster in found.rosters],
        "changeable": {
            roster.id
            for roster in found.rosters
            if caller.can_write and not services.is_hub and may_change(caller.scope, roster)
        },
        "notes": notes,
        "sites": sorted(seen, key=frame.words.name),
        "chosen": chosen,
        "at": at,
        "severity": severity,
        "severities": SEVERITIES,
        "asked": who(found, chosen, at, severity, caller, services, frame.language) if chosen is not None else None,
        "people": found.book.people,
        "names": lambda people: names_of(found.book, people, frame.language),
        "address": address,
        "taken": taken,
        "csrf": caller.csrf,
    }
    return page(request, services, "oncall.html", values, frame=frame)


def who(
    found: Known, site: Site, at: str, severity: str, caller: Caller, services: Services, language: str
) -> dict[str, Any]:
    """Who would be called for a site: ``fault`` where the time was none."""
    fault, now = "", now_of(services)
    when = now
    try:
        when = read_instant(at, site.timezone) if at else now
    except UsageError:
        fault = at
    with services.store.reading() as connection:
        told = ask_who(connection, services.registry.fleet, services.settings.channels, site, when, severity)
    may = partial(may_reach, caller)
    on_duty, fallback = who_view.rows(told, may)
    seen = {row.person: told.book.people[row.person] for row in (*on_duty, *fallback) if row.contacts}
    if seen:
        with services.store.transaction() as connection:
            note_view(connection, now, caller, seen.values(), "/oncall")
    return {
        "at_ms": int(when.timestamp() * 1000),
        "fault": fault,
        "who": who_view.who_lines(told, language, may),
        "on_duty": on_duty,
        "fallback": fallback,
        "changes": who_view.changes(told.who.called, found.ground, when),
        "is_ahead": when > now,
    }


def mine(found: Known, caller: Caller) -> Person | None:
    """The person whose login this is."""
    people = found.book.people.values()
    return next((one for one in people if one.login and one.login == caller.name and caller.way == "session"), None)


def back(roster: str) -> Response:
    return RedirectResponse(f"/oncall#roster-{quote(roster, safe='')}", status_code=303)
