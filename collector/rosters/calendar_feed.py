"""Rosters as iCalendar (RFC 5545) out, and absences and days off as iCalendar in. The only importer of ``icalendar``,
which is loaded when somebody asks for a calendar: a collector would carry its 5 MB for nothing.

Out, every instant is in UTC, which no change of clocks can make mean two things. In, a day without a time is a day of the
roster's zone; what repeats is refused rather than taken once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from collector.errors import UsageError
from collector.people.person import Person
from collector.rosters.roster import Roster, Shift
from collector.rosters.wall import begins, ends

if TYPE_CHECKING:
    from icalendar import Event

MOST_EVENTS = 5_000
HOLE_WORDS = {"ko": "관제 공백", "en": "Nobody on duty"}


class Entry(NamedTuple):
    """An event of somebody's calendar: ``[began_at, ended_at)``; ``days`` where it is of whole days."""

    uid: str
    name: str
    began_at: datetime
    ended_at: datetime
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Read:
    entries: tuple[Entry, ...]
    skipped: tuple[str, ...]
    """What was not taken, each with why."""


def feed(
    name: str,
    shifts: Iterable[tuple[Roster, Shift]],
    holes: Iterable[tuple[Roster, datetime, datetime]],
    people: Mapping[str, Person],
    language: str,
    now: datetime,
) -> bytes:
    """A calendar of shifts, and of holes, which nobody should have to look for."""
    from icalendar import Calendar

    made = Calendar()
    made.add("prodid", "-//Bongsu//Rosters//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    made.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for roster, shift in shifts:
        who = ", ".join(_name(people, person, language) for person in shift.people)
        layer = f"{shift.layer} {shift.slot}".strip()
        made.add_component(
            _event(f"{who} · {_named(roster, language)} ({layer})", roster, shift.began_at, shift.ended_at, layer, now)
        )
    for roster, began, ended in holes:
        text = f"{HOLE_WORDS[language]} · {_named(roster, language)}"
        made.add_component(_event(text, roster, began, ended, "hole", now))
    return bytes(made.to_ical())


def _event(text: str, roster: Roster, began: datetime, ended: datetime, layer: str, now: datetime) -> Event:
    from icalendar import Event

    event = Event()
    name = f"{roster.id}\0{layer}\0{began.isoformat()}"
    event.add("uid", f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@bongsu")
    event.add("summary", text)
    event.add("dtstamp", now.replace(microsecond=0))
    event.add("dtstart", began)
    event.add("dtend", ended)
    event.add("transp", "TRANSPARENT")
    return event


def read_calendar(content: bytes, zone: str) -> Read:
    """The events of a calendar. Raises UsageError where it is none, or has too many."""
    count = content.upper().count(b"BEGIN:VEVENT")  # before the library takes its time over them
    if count > MOST_EVENTS:
        raise UsageError(f"{count} events: expected {MOST_EVENTS} at most")
    from icalendar import Calendar

    try:
        found = Calendar.from_ical(content)
        events = list(found.walk("VEVENT"))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as why:
        raise UsageError(f"not an iCalendar file: {why}") from why
    entries, skipped = [], []
    for event in events:
        name = str(event.get("summary", ""))[:200] or "?"
        try:
            entry = _entry(event, name, zone)
        except (UsageError, ValueError, OverflowError, TypeError, AttributeError) as why:
            skipped.append(f"{name}: {why}")
        else:
            entries.append(entry)
    return Read(tuple(entries), tuple(skipped))


def _entry(event: Any, name: str, zone: str) -> Entry:
    """Raises UsageError."""
    if event.get("rrule") is not None or event.get("rdate") is not None:
        raise UsageError("it repeats; export it with each of its days written out")
    if event.get("dtstart") is None:
        raise UsageError("it has no beginning")
    start = event.decoded("dtstart")
    end = _end(event, start)
    if type(end) is not type(start):
        raise UsageError("its beginning and its end are not of one kind")
    days: tuple[date, ...] = ()
    if not isinstance(start, datetime):
        days = tuple(start + timedelta(days=at) for at in range(min((end - start).days, 400)))
    began, ended = _instant(start, zone, is_end=False), _instant(end, zone, is_end=True)
    if ended <= began:
        raise UsageError("it ends before it begins")
    return Entry(str(event.get("uid", name))[:255], name, began, ended, days)


def _end(event: Any, start: date) -> date:
    if event.get("dtend") is not None:
        end: date = event.decoded("dtend")
        return end
    if event.get("duration") is not None:
        lasting: timedelta = event.decoded("duration")
        return start + lasting
    return start + timedelta(days=1)


def _instant(at: date, zone: str, *, is_end: bool) -> datetime:
    """A day begins at its midnight on the clock of ``zone``; a time without a zone is of that clock too."""
    if isinstance(at, datetime) and at.tzinfo is not None:
        return at.astimezone(UTC)
    wall = at if isinstance(at, datetime) else datetime.combine(at, datetime.min.time())
    return (ends if is_end else begins)(wall, zone)


def _name(people: Mapping[str, Person], person: str, language: str) -> str:
    known = people.get(person)
    return person if known is None else known.name_ko if language == "ko" else known.name_en


def _named(roster: Roster, language: str) -> str:
    return roster.name_ko if language == "ko" else roster.name_en
