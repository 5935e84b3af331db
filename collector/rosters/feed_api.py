"""Calendars out and in: ``/feeds/SECRET.ics`` for calendar programs, ``/api/feeds`` to make and end such addresses, and
absences and days off from somebody's calendar.

A calendar program cannot sign in, so the address itself is the secret: 256 random bits, kept only as a hash, shown once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from agent.link.clock import SystemChance
from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.guard import Leader, Reader, member
from collector.access.problems import not_found
from collector.errors import Refused, UsageError
from collector.people.queries import Book, list_people, list_teams, whole_book
from collector.rosters import calendar_feed
from collector.rosters.asked import LONGEST, known, now_of, to_change
from collector.rosters.compile import ground_of
from collector.rosters.duty import holes
from collector.rosters.queries import (
    Feed,
    add_feed,
    add_override,
    cancel_imported,
    find_feed,
    list_feeds,
    load_rosters,
    replace_days_off,
    revoke_feed,
)
from collector.rosters.roster import Ground, Roster, Shift
from collector.rosters.shifts import shifts

if TYPE_CHECKING:
    from collector.services import Services

Member = Annotated[Caller, Depends(member)]
BACK, AHEAD = timedelta(days=14), timedelta(days=92)
Kind = Literal["roster", "team", "person"]


class FeedIn(BaseModel):
    kind: Kind
    subject: str = Field(max_length=64)
    language: Literal["ko", "en"] = "ko"


def router(services: Services) -> APIRouter:
    routes = APIRouter(tags=["rosters"])

    @routes.get("/feeds/{secret}.ics", include_in_schema=False)
    def calendar(secret: str) -> Response:
        """The shifts of a roster, a team or a person as iCalendar: two weeks back, three months ahead."""
        now = now_of(services)
        with services.store.reading() as connection:
            found = find_feed(connection, secret)
            if found is None:
                raise Refused(404, "not_found", "No calendar here: the address is wrong, or it was ended.")
            rosters, book = load_rosters(connection), whole_book(connection)
        text = content(found, rosters, book, ground_of(services.registry.fleet), now)
        return Response(
            text, media_type="text/calendar; charset=utf-8", headers={"cache-control": "private, max-age=300"}
        )

    @routes.get("/api/feeds")
    def feeds(caller: Reader) -> dict[str, Any]:
        """Addresses of calendars that hold: all for an administrator, else those the caller made."""
        with services.store.reading() as connection:
            rows = list_feeds(connection)
        mine = [
            row for row in rows if caller.is_signed_in and (caller.may("administer") or row.created_by == caller.name)
        ]
        return {"items": [{key: value for key, value in row._mapping.items() if key != "revoked_at"} for row in mine]}

    @routes.post("/api/feeds", status_code=201)
    def make(caller: Member, body: FeedIn) -> dict[str, Any]:
        """Make an address for a calendar program; it is shown this once. Readers may make one of themselves."""
        number, secret = make_feed(services, caller, body.kind, body.subject, body.language)
        return {"id": number, "url": f"{services.settings.server.url}/feeds/{secret}.ics"}

    @routes.delete("/api/feeds/{number}", status_code=204)
    def end(caller: Member, number: int) -> None:
        """End an address at once."""
        with services.store.transaction() as connection:
            row = next((row for row in list_feeds(connection) if row.id == number), None)
            if row is None or not (caller.may("administer") or row.created_by == caller.name):
                raise not_found("calendar", str(number))
            revoke_feed(connection, number, now_of(services))
            record(connection, now_of(services), caller.name, "feed.end", str(number))

    @routes.put("/api/rosters/{roster}/days-off")
    async def days_off(caller: Leader, roster: str, request: Request) -> dict[str, Any]:
        """Take the whole days of an iCalendar file as days off besides the calendar's, instead of those before."""
        body = await request.body()
        return await run_in_threadpool(take_days_off, services, caller, roster, body)

    @routes.put("/api/rosters/{roster}/absences/{person}")
    async def absences(caller: Leader, roster: str, person: str, request: Request) -> dict[str, Any]:
        """Take the events of an iCalendar file as absences of a person, instead of those that came from one before."""
        body = await request.body()
        return await run_in_threadpool(take_absences, services, caller, roster, person, body)

    return routes


def make_feed(services: Services, caller: Caller, kind: str, subject: str, language: str) -> tuple[int, str]:
    """Number and secret of a new address. Raises Refused."""
    if services.is_hub:
        raise Refused(409, "hub", "Calendars are made at the centre, not at a hub.")
    with services.store.reading() as connection:
        people = {p.id: p for p in list_people(connection, caller.scope, limit=1_000_000)}
        teams = {team.id for team in list_teams(connection, caller.scope, limit=1_000_000)}
    there: dict[str, set[str]] = {
        "person": set(people),
        "team": teams,
        "roster": {roster.id for roster in known(services, caller).rosters},
    }
    if subject not in there[kind]:
        raise not_found(kind, subject)
    is_own = kind == "person" and caller.way == "session" and people[subject].login == caller.name
    if not caller.can_write and not is_own:
        raise Refused(403, "not_allowed", f"{caller.name} may make a calendar of their own shifts only.")
    secret = SystemChance().bytes(32).hex()
    with services.store.transaction() as connection:
        number = add_feed(connection, secret, kind, subject, language, now_of(services), caller.name)
        record(connection, now_of(services), caller.name, "feed.make", f"{kind}:{subject}", {"number": number})
    return number, secret


def content(found: Feed, rosters: list[Roster], book: Book, ground: Ground, now: datetime) -> bytes:
    """The calendar of a feed: shifts that have one of its people, or all and the holes of its roster."""
    from_at, to_at = now - BACK, now + AHEAD
    named: Any = None
    people: set[str] | None = None
    chosen = rosters
    if found.kind == "roster":
        chosen = [roster for roster in rosters if roster.id == found.subject]
        named = chosen[0] if chosen else None
    elif found.kind == "team":
        named = book.teams.get(found.subject)
        people = set(named.members) if named is not None else set()
    else:
        named = book.people.get(found.subject)
        people = {found.subject}
    rows: list[tuple[Roster, Shift]] = [
        (roster, shift)
        for roster in chosen
        for shift in shifts(roster, ground, from_at, to_at)
        if people is None or people & set(shift.people)
    ]
    empty = [(r, b, e) for r in chosen for b, e in holes(r, ground, now, to_at)] if people is None else []
    title = getattr(named, "name_ko" if found.language == "ko" else "name_en", found.subject)
    return calendar_feed.feed(title, rows, empty, book.people, found.language, now)


def take_days_off(services: Services, caller: Caller, name: str, body: bytes) -> dict[str, Any]:
    """Raises Refused."""
    roster, _ = to_change(services, caller, name)
    read = _read(body, roster)
    days = {day: entry.name for entry in read.entries for day in entry.days}
    timed = [f"{entry.name}: it has a time; a day off is a whole day" for entry in read.entries if not entry.days]
    with services.store.transaction() as connection:
        replace_days_off(connection, roster.id, days.items())
        record(connection, now_of(services), caller.name, "roster.days_off", roster.id, {"taken": len(days)})
    return {"taken": len(days), "skipped": [*read.skipped, *timed]}


def take_absences(services: Services, caller: Caller, name: str, person: str, body: bytes) -> dict[str, Any]:
    """Raises Refused."""
    roster, found = to_change(services, caller, name)
    if person not in found.book.people:
        raise not_found("person", person)
    read, now = _read(body, roster), now_of(services)
    skipped = list(read.skipped)
    taken = 0
    with services.store.transaction() as connection:
        cancel_imported(connection, roster.id, person, now)
        for entry in read.entries:
            if entry.ended_at - entry.began_at > LONGEST:
                skipped.append(f"{entry.name}: longer than {LONGEST.days} days")
                continue
            add_override(
                connection, roster, out=person, instead="", began_at=entry.began_at, ended_at=entry.ended_at, now=now,
                by=caller.name, reason=entry.name, source=entry.uid,
            )  # fmt: skip
            taken += 1
        record(connection, now, caller.name, "roster.absences", roster.id, {"person": person, "taken": taken})
    return {"taken": taken, "skipped": skipped}


def _read(body: bytes, roster: Roster) -> calendar_feed.Read:
    try:
        return calendar_feed.read_calendar(body, roster.timezone)
    except UsageError as why:
        raise Refused(422, "bad_calendar", str(why)) from why
