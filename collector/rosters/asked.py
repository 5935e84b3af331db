"""What a request asks of rosters, found or refused: shared by the API and the page, so that both refuse alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from collector.access.audit import record
from collector.access.caller import Caller
from collector.access.problems import not_found
from collector.errors import Refused, UsageError
from collector.people.queries import Book, whole_book
from collector.rosters.compile import ground_of
from collector.rosters.duty import on_duty
from collector.rosters.instants import read_instant
from collector.rosters.queries import add_override, cancel_override, is_seen, load_rosters, may_change, write_handover
from collector.rosters.roster import Ground, Roster, Shift
from collector.rosters.shifts import shifts
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

LONGEST = timedelta(days=400)
NOT_WELL_FROM = 2
"""Codes of states grow with how bad it is: from "no data" on, the next shift must know."""
MOST_FAILING = 200
NOTE_CHARS = 4_000
LOOK_AHEAD = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Known:
    """The rosters a caller may see, and what is needed to reckon with them."""

    rosters: tuple[Roster, ...]
    ground: Ground
    book: Book

    def find(self, name: str) -> Roster:
        """Raises Refused 404."""
        for roster in self.rosters:
            if roster.id == name:
                return roster
        raise not_found("roster", name)


def now_of(services: Services) -> datetime:
    return instant(services.clock.wall_ms())


def known(services: Services, caller: Caller) -> Known:
    with services.store.reading() as connection:
        every, book = load_rosters(connection), whole_book(connection)
    seen = tuple(roster for roster in every if is_seen(caller.scope, roster))
    return Known(seen, ground_of(services.registry.fleet), book)


def to_change(services: Services, caller: Caller, name: str) -> tuple[Roster, Known]:
    """Raises Refused: 404 for what is not the caller's to see, 403 for what is only to be seen, 409 at a hub."""
    found = known(services, caller)
    roster = found.find(name)
    if services.is_hub:
        raise Refused(409, "hub", "Rosters are changed at the centre, not at a hub.")
    if not may_change(caller.scope, roster):
        raise Refused(403, "not_allowed", f"Roster {name!r} belongs to others: you may read it, but not change it.")
    return roster, found


def take_override(
    services: Services, caller: Caller, name: str, *, out: str, instead: str, began: str, ended: str, layer: str = "",
    reason: str = "",
) -> int:  # fmt: skip
    """Keep a substitution, an absence or somebody more; its number. Times by the roster's clock. Raises Refused."""
    roster, found = to_change(services, caller, name)
    try:
        for person in (out, instead):
            if person and person not in found.book.people:
                raise UsageError(f"no such person: {person!r}")
        began_at = read_instant(began, roster.timezone)
        ended_at = read_instant(ended, roster.timezone, is_end=True)
        if ended_at - began_at > LONGEST:
            raise UsageError(f"an override lasts {LONGEST.days} days at most; for longer, change the file")
        with services.store.transaction() as connection:
            number = add_override(
                connection, roster, out=out, instead=instead, began_at=began_at, ended_at=ended_at,
                now=now_of(services), by=caller.name, layer=layer, reason=reason[:200],
            )  # fmt: skip
            told = {"number": number, "out": out, "in": instead, "began": began_at, "ended": ended_at, "layer": layer}
            record(connection, now_of(services), caller.name, "roster.override", roster.id, told)
            return number
    except UsageError as why:
        raise Refused(422, "bad_override", str(why)) from why


def take_cancel(services: Services, caller: Caller, name: str, number: int) -> None:
    """Raises Refused 404 where there is none to cancel."""
    to_change(services, caller, name)
    with services.store.transaction() as connection:
        if not cancel_override(connection, name, number, now_of(services)):
            raise not_found("override", str(number))
        record(connection, now_of(services), caller.name, "roster.cancel", name, {"number": number})


def next_change(roster: Roster, ground: Ground, now: datetime) -> tuple[datetime | None, tuple[str, ...]]:
    """When other people than now are on duty for the first time, and who; None where that is not within eight days."""
    until = now + LOOK_AHEAD
    ahead = shifts(roster, ground, now, until)
    current = _people(roster, ahead, now)
    # What comes after the last shift looked at is not nobody: it was not looked at.
    for at in sorted({at for shift in ahead for at in (shift.began_at, shift.ended_at) if now < at < until}):
        then = _people(roster, ahead, at)
        if then != current:
            return at, then
    return None, ()


def _people(roster: Roster, made: Iterable[Shift], at: datetime) -> tuple[str, ...]:
    """Who of these shifts is on duty at an instant, in the order of layers."""
    there = [shift for shift in made if shift.began_at <= at < shift.ended_at]
    ordered = (shift for layer in roster.layers for shift in there if shift.layer == layer.name)
    return tuple(dict.fromkeys(person for shift in ordered for person in shift.people))


def take_handover(services: Services, caller: Caller, name: str, note: str) -> int:
    """Keep what this shift tells the next, with what is failing now; its number. Raises Refused."""
    roster, found = to_change(services, caller, name)
    if not note.strip() or len(note) > NOTE_CHARS:
        raise Refused(422, "bad_note", f"A note has 1 to {NOTE_CHARS} characters.")
    now = now_of(services)
    changes_at, then = next_change(roster, found.ground, now)
    with services.store.transaction() as connection:
        return write_handover(
            connection,
            roster.id,
            from_people=tuple(person for duty in on_duty(roster, found.ground, now) for person in duty.people),
            to_people=then,
            changes_at=changes_at,
            note=note.strip(),
            failing=[*open_incidents(services, caller), *failing_now(services, caller, roster)],
            now=now,
            by=caller.name,
        )


def open_incidents(services: Services, caller: Caller) -> list[tuple[Any, ...]]:
    """(``incident``, ``#12``, state, reason, since_ms) of what is open as far as the caller sees it: incidents stand above
    rosters, so the side that speaks to people is asked."""
    side = services.response
    return list(side.open_incidents(caller.scope)) if side is not None else []


def failing_now(services: Services, caller: Caller, roster: Roster) -> list[tuple[Any, ...]]:
    """(kind, id, state, reason, since_ms) of the roster's sites and hosts that are not well, the worst first."""
    standing, fleet = services.standing, services.registry.fleet
    sites = [s for s in fleet.sites.values() if not roster.sites or s.id in roster.sites]
    sites = [s for s in sites if not roster.agencies or s.agency in roster.agencies]
    found = [("site", s.id, *_state(standing.sites.get(s.id))) for s in sites if caller.scope.allows(s.agency, s.id)]
    hosts = (fleet.hosts[host] for s in sites for host in fleet.hosts_by_site.get(s.id, ()))
    found += [("host", h.id, *_state(standing.hosts.get(h.id))) for h in hosts if caller.scope.allows(h.agency, h.site)]
    bad = [row for row in found if row[2] >= NOT_WELL_FROM]
    return sorted(bad, key=lambda row: (-row[2], row[0] != "site", row[1]))[:MOST_FAILING]


def _state(found: Any) -> tuple[int, str, int]:
    return (found.state, found.reason, found.since_ms) if found is not None else (0, "", 0)


def names_of(book: Book, people: Iterable[str], language: str) -> str:
    """Names in one language, with the id where somebody is no longer known."""
    found = []
    for person in people:
        entry = book.people.get(person)
        found.append(person if entry is None else entry.name_ko if language == "ko" else entry.name_en)
    return ", ".join(found)
