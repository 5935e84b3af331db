"""What the page of duty shows of a roster, from its shifts: values only, no words, no markup. Days and times are those of
the roster's own clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.rosters.asked import next_change
from collector.rosters.duty import Called, answer, holes
from collector.rosters.roster import Ground, Override, Roster
from collector.rosters.shifts import is_off, shifts
from collector.rosters.wall import begins, wall_at

DAYS = 14


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a day: ``began`` and ``ended`` as ``HH:MM``, empty where it goes beyond the day."""

    began: str
    ended: str
    people: tuple[str, ...] = ()
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    is_off: bool
    layers: tuple[tuple[Span, ...], ...]
    holes: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class RosterView:
    roster: Roster
    now: Called
    changes_at: datetime | None
    then: tuple[str, ...]
    """Who is on duty from ``changes_at`` on; empty = nobody."""
    holes: tuple[tuple[datetime, datetime], ...]
    """Of the coming fourteen days."""
    days: tuple[Day, ...]
    overrides: tuple[Override, ...]
    """Those that hold or will."""


def roster_view(roster: Roster, ground: Ground, now: datetime) -> RosterView:
    first = wall_at(now, roster.timezone).date()
    from_at = begins(datetime.combine(first, datetime.min.time()), roster.timezone)
    to_at = begins(datetime.combine(first + timedelta(days=DAYS), datetime.min.time()), roster.timezone)
    made = shifts(roster, ground, from_at, to_at)
    empty = holes(roster, ground, now, to_at)
    days = []
    for number in range(DAYS):
        day = first + timedelta(days=number)
        began, ended = (
            begins(datetime.combine(each, datetime.min.time()), roster.timezone) for each in (day, day + timedelta(1))
        )
        layers = tuple(
            tuple(
                span_of(s.began_at, s.ended_at, began, ended, roster.timezone, s.people, s.slot)
                for s in made
                if s.layer == layer.name and s.began_at < ended and s.ended_at > began
            )
            for layer in roster.layers
        )
        lacking = tuple(span_of(b, e, began, ended, roster.timezone) for b, e in empty if b < ended and e > began)
        days.append(Day(day, is_off(roster, ground, day), layers, lacking))
    changes_at, then = next_change(roster, ground, now)
    held = tuple(each for each in roster.overrides if each.ended_at > now)
    return RosterView(roster, answer(roster, ground, now), changes_at, then, tuple(empty), tuple(days), held)


class OwnTurn(NamedTuple):
    roster: Roster
    layer: str
    began_at: datetime
    ended_at: datetime


def own_turns(rosters: Iterable[Roster], ground: Ground, person: str, now: datetime) -> tuple[OwnTurn, ...]:
    """When somebody is on duty in the coming fourteen days, on whatever roster; the next first."""
    found = [
        OwnTurn(roster, shift.layer, shift.began_at, shift.ended_at)
        for roster in rosters
        for shift in shifts(roster, ground, now, now + timedelta(days=DAYS))
        if person in shift.people
    ]
    return tuple(sorted(found, key=lambda turn: (turn.began_at, turn.roster.id, turn.layer)))


def span_of(
    began_at: datetime,
    ended_at: datetime,
    day_began: datetime,
    day_ended: datetime,
    zone: str,
    people: Sequence[str] = (),
    slot: str = "",
) -> Span:
    """What of a shift lies in a day."""
    place = ZoneInfo(zone)
    began = f"{began_at.astimezone(place):%H:%M}" if began_at >= day_began else ""
    ended = f"{ended_at.astimezone(place):%H:%M}" if ended_at < day_ended else ""
    return Span(began, ended, tuple(people), slot)
