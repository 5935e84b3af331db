"""What a caller asks of an incident, checked and done: the API, the command line and the pages share it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sqlalchemy import Connection

from agent.link.clock import Clock
from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.problems import not_found
from collector.errors import Refused
from collector.escalation.policy_apply import current_plan
from collector.escalation.queries import Summoned, summoned
from collector.fleet.registry import Fleet, Registry
from collector.incidents import ending_queries, queries, seen
from collector.incidents import incident as inc
from collector.incidents.incident import Incident
from collector.incidents.merge_queries import merge_by_hand
from collector.incidents.related import related_to
from collector.incidents.report import Report, report
from collector.incidents.shift import called_for, is_on_shift
from collector.incidents.signal import CRITICAL
from collector.incidents.split_queries import split_again
from collector.incidents.summons_queries import call_in
from collector.people.queries import Book, whole_book
from collector.rosters.compile import ground_of
from collector.rosters.queries import load_rosters
from collector.rules.runbook import load_runbook
from collector.settings import Settings
from collector.store.engine import Store
from collector.store.schema import instant
from collector.store.scope import EVERYTHING

LONGEST_SNOOZE = timedelta(days=7)
TEXT_CHARS = 4_000


class Desk(Protocol):
    """What of ``collector.services.Services`` this needs; the command line has no more."""

    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def registry(self) -> Registry: ...


def find_for(services: Desk, caller: Caller, number: int) -> Incident:
    """Raises Refused 404, also for what is not the caller's to see."""
    with services.store.reading() as connection:
        found = queries.find(connection, caller.scope, number)
    if found is None:
        raise not_found("incident", str(number))
    return found


def find_to_read(services: Desk, caller: Caller, number: int) -> Incident:
    """The same, also what only reaches something of the caller's; as far as that may be shown."""
    with services.store.reading() as connection:
        found = queries.find_seen(connection, caller.scope, number)
    if found is None:
        raise not_found("incident", str(number))
    return seen.narrowed(found, services.registry.fleet, caller.scope)


def acknowledge(services: Desk, caller: Caller, number: int, for_: str = "", way: str = "api") -> Incident:
    """Acknowledge by name, or for another (대리 인지). Raises Refused: 409 with why where it changes nothing."""
    find_for(services, caller, number)
    now = instant(services.clock.wall_ms())
    acknowledge_as(services.store, services.registry.fleet, caller.name, number, now, for_, way)
    return find_for(services, caller, number)


def acknowledge_as(
    store: Store, fleet: Fleet, by: str, number: int, now: datetime, for_: str = "", way: str = "api"
) -> None:
    """The same by a login or a person's id. Raises Refused."""
    with store.transaction() as connection:
        found = queries.find(connection, EVERYTHING, number)
        if found is None:
            raise not_found("incident", str(number))
        book = whole_book(connection)
        if for_ and for_ not in book.people:
            raise Refused(422, "no_such_person", f"Nobody is called {for_!r}; give a person's id.")
        who = for_ or _person_of(by, book)
        rosters = load_rosters(connection)
        meant = called_for(found, rosters, ground_of(fleet), fleet, now)
        on_shift = not current_plan(connection).only_on_shift or is_on_shift(who, meant)
        done = queries.acknowledge(connection, number, by, now, for_, way, is_on_shift=on_shift)
        if done:
            record(connection, now, by, "incident.acknowledge", str(number), {"for": for_, "way": way})
    if done:
        return
    if found.state != inc.TRIGGERED:
        raise Refused(409, "already", _already(found))
    people = ", ".join(dict.fromkeys(name for each in meant for name in each.people))
    raise Refused(
        409,
        "off_shift",
        f"Noted; but {who or by} is not on duty for it now, so calling goes on. On duty: {people}. "
        "Acknowledge for one of them who took it over (for).",
    )


def assign(services: Desk, caller: Caller, number: int, to: str) -> Incident:
    """Raises Refused."""
    with services.store.reading() as connection:
        book = whole_book(connection)
    if to and to not in book.people and to not in {person.login for person in book.people.values()}:
        raise Refused(422, "no_such_person", f"Nobody is called {to!r}; give a person's id.")
    return _do(services, caller, number, "assign", partial(queries.assign, assignee=to), {"to": to})


def snooze(services: Desk, caller: Caller, number: int, until: datetime) -> Incident:
    """Raises Refused, also for what is critical and was not acknowledged: nobody mutes that."""
    found, now = find_for(services, caller, number), instant(services.clock.wall_ms())
    if found.severity == CRITICAL and found.state == inc.TRIGGERED:
        raise Refused(409, "critical", "What is critical is acknowledged first; nobody mutes it.")
    if not now < until <= now + LONGEST_SNOOZE:
        raise Refused(422, "bad_time", f"until: expected a time after now, at most {LONGEST_SNOOZE.days} days ahead.")
    data = {"until": until.isoformat()}
    return _do(services, caller, number, "snooze", partial(queries.snooze, until=until), data)


def comment(services: Desk, caller: Caller, number: int, text: str, *, is_action: bool = False) -> Incident:
    """A note, or what was done (조치). Raises Refused."""
    made = partial(queries.comment, text=text, is_action=is_action)
    return _do(services, caller, number, "action" if is_action else "comment", made, {"text": text})


def explain(services: Desk, caller: Caller, number: int, cause: str, prevention: str) -> Incident:
    """Cause and 재발방지대책. Raises Refused."""
    return _do(services, caller, number, "explain", partial(queries.explain, cause=cause, prevention=prevention), {})


def resolve(services: Desk, caller: Caller, number: int) -> Incident:
    """Raises Refused."""
    return _do(services, caller, number, "resolve", ending_queries.resolve, {})


def close(services: Desk, caller: Caller, number: int) -> Incident:
    """Raises Refused."""
    return _do(services, caller, number, "close", ending_queries.close, {})


def merge(services: Desk, caller: Caller, number: int, into: int) -> Incident:
    """What people know to be one: it goes into another that is open. The one it went into. Raises Refused."""
    child, parent = find_for(services, caller, number), find_for(services, caller, into)
    if number == into:
        raise Refused(422, "same", "An incident cannot go into itself.")
    now = instant(services.clock.wall_ms())
    with services.store.transaction() as connection:
        done = merge_by_hand(connection, child, parent, caller.name, now)
        if done:
            record(connection, now, caller.name, "incident.merge", str(number), {"into": into})
    if not done:
        raise Refused(409, "not_now", f"Only incidents that are open go into one another: {number} is {child.state}, "
                                      f"{into} is {parent.state}.")  # fmt: skip
    return find_for(services, caller, into)


def split(services: Desk, caller: Caller, number: int) -> Incident:
    """Undo that somebody merged it into another: it stands by itself again, as it is now. Raises Refused."""
    child, now = find_for(services, caller, number), instant(services.clock.wall_ms())
    done = False
    if child.merged_into is not None:
        parent = find_for(services, caller, child.merged_into)
        with services.store.transaction() as connection:
            done = split_again(connection, number, parent.number, caller.name, now)
            if done:
                record(connection, now, caller.name, "incident.split", str(number), {"from": parent.number})
    if not done:
        raise Refused(409, "not_now", f"Nobody merged {number} into another that stands by itself: nothing to undo.")
    return find_for(services, caller, number)


def summon(services: Desk, caller: Caller, number: int, team: str) -> Incident:
    """Call in a team (비상소집): each member is called now, whatever the hour, and says whether they come. Raises Refused."""
    found, now = find_for(services, caller, number), instant(services.clock.wall_ms())
    with services.store.transaction() as connection:
        book = whole_book(connection)
        if team not in book.teams:
            raise Refused(422, "no_such_team", f"No team is called {team!r}.")
        done = found.is_open and call_in(connection, found, book.teams[team], book, caller.name, now)
        if done:
            record(connection, now, caller.name, "incident.summon", str(number), {"team": team})
    if not done:
        why = f"Incident {number} is {found.state}" if not found.is_open else f"All of {team} were called in before"
        raise Refused(409, "already", f"{why}.")
    return find_for(services, caller, number)


def summons_for(connection: Connection, caller: Caller, number: int) -> list[Summoned]:
    """Who was called in, for those who handle the incident or look into it later; for others nobody."""
    return summoned(connection, number) if may_know_people(connection, caller, number) else []


def may_know_people(connection: Connection, caller: Caller, number: int) -> bool:
    """Whether they are told whom it was that was called: of their own incidents, those who handle or look into them."""
    may_know = caller.may("answer") or caller.may("audit")
    return may_know and queries.find(connection, caller.scope, number) is not None


def report_for(
    services: Desk, caller: Caller, number: int, stage: str, language: str, zone: str = "Asia/Seoul"
) -> Report:
    """Raises Refused 404. That it was taken is in the audit log: call inside a request that may write."""
    found, now = find_to_read(services, caller, number), instant(services.clock.wall_ms())
    with services.store.transaction() as connection:
        events = queries.events_of(connection, number)
        book = whole_book(connection)
        called_in = summons_for(connection, caller, number)
        tells = may_know_people(connection, caller, number)
        related = related_to(connection, caller.scope, found)
        record(connection, now, caller.name, "export.report", str(number), {"stage": stage})
    names = names_of(book, language)
    page = services.settings.server.public_url.rstrip("/")
    runbook = f"{page}/runbooks/{found.reason}" if load_runbook(found.reason, language) is not None else ""
    fleet = services.registry.fleet
    course = seen.course(events, caller.scope)[::-1]
    return report(
        found, course, stage, language, fleet, now, zone, names, runbook, called_in, tells_people=tells, related=related
    )


def names_of(book: Book, language: str) -> Mapping[str, str]:
    """By a person's id and login: what to call them."""
    found: dict[str, str] = {}
    for person in book.people.values():
        name = (person.name_en if language == "en" else person.name_ko) or person.name_ko or person.id
        found |= {each: name for each in (person.id, person.login) if each}
    return found


def _do(
    services: Desk,
    caller: Caller,
    number: int,
    verb: str,
    change: Callable[[Connection, int, str, datetime], bool],
    data: Mapping[str, object],
) -> Incident:
    before = find_for(services, caller, number)
    now = instant(services.clock.wall_ms())
    with services.store.transaction() as connection:
        done = change(connection, number, caller.name, now)
        if done:
            record(connection, now, caller.name, f"incident.{verb}", str(number), dict(data))
    if not done:
        raise Refused(409, "not_now", _not_now(before, verb))
    return find_for(services, caller, number)


def _person_of(login: str, book: Book) -> str:
    found = next((person.id for person in book.people.values() if person.login == login and login), "")
    return found or (login if login in book.people else "")


def _already(found: Incident) -> str:
    if found.state == inc.ACKNOWLEDGED:
        return f"Incident {found.number} was acknowledged by {found.acknowledged_by} already."
    return f"Incident {found.number} is {found.state}."


def _not_now(found: Incident, verb: str) -> str:
    if verb == "close":
        return f"Incident {found.number} is {found.state}; only what is resolved, and where nothing holds any more, is closed."
    return f"Incident {found.number} is {found.state}: it cannot be changed so."
