"""The shifts of a layer by its rule, and what overrides make of them.

Everything is reckoned in wall time, day by day, and becomes instants at the very end (``wall``): adding seconds to an
instant would move shifts when the clocks change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from collector.fleet.calendar import holiday_name, parse_hours
from collector.fleet.paths import SiteCalendar
from collector.people.person import parse_span
from collector.rosters import sun
from collector.rosters.roster import (
    ALL,
    CYCLE,
    OFFICE,
    OUTSIDE,
    SUN,
    WORKING,
    Ground,
    Layer,
    Override,
    Roster,
    Shift,
)
from collector.rosters.turns import crews_of_turns, present, turn_begins, turn_of
from collector.rosters.wall import begins, ends, wall_at

DAY = timedelta(days=1)
MARGIN = timedelta(days=3)
"""What began this long before may still be on: the longest window is a day, the longest change of clocks an hour."""
Walls = Iterator[tuple[datetime, datetime, tuple[str, ...], str]]


def shifts(roster: Roster, ground: Ground, from_at: datetime, to_at: datetime) -> list[Shift]:
    """Every shift that meets ``[from_at, to_at)``, whole, by beginning; overrides are in it."""
    found = [shift for layer in roster.layers for shift in layer_shifts(roster, layer, ground, from_at, to_at)]
    return sorted(found, key=lambda shift: (shift.began_at, shift.ended_at, shift.layer))


def layer_shifts(roster: Roster, layer: Layer, ground: Ground, from_at: datetime, to_at: datetime) -> list[Shift]:
    """The same of one layer. A shift with nobody in it is left out."""
    if layer.kind == SUN:
        made = sun.shifts(roster, layer, ground, from_at, to_at)
    else:
        first, last = wall_at(from_at, roster.timezone) - MARGIN, wall_at(to_at, roster.timezone) + MARGIN
        walls = (
            _cycle(roster, layer, first, last) if layer.kind == CYCLE else _turns(roster, layer, ground, first, last)
        )
        zone = roster.timezone
        made = [
            Shift(begins(began, zone), ends(ended, zone), who, layer.name, slot) for began, ended, who, slot in walls
        ]
    mine = [
        o for o in roster.overrides if o.layer == layer.name or (not o.layer and (o.out or layer is roster.layers[0]))
    ]
    changed = _changed([shift for shift in made if shift.people], layer, mine)
    return [shift for shift in changed if shift.began_at < to_at and shift.ended_at > from_at]


def is_off(roster: Roster, ground: Ground, day: date) -> bool:
    """Whether nobody works that day, by the roster's calendar or its own days off."""
    return day in roster.days_off or bool(holiday_name(calendar_of(roster, ground), day))


def calendar_of(roster: Roster, ground: Ground) -> SiteCalendar:
    return ground.calendars.get(roster.calendar, SiteCalendar())


def office_hours(roster: Roster, ground: Ground) -> tuple[time, time]:
    return parse_hours(calendar_of(roster, ground).business_hours) or (time(9), time(18))


def _days(first: datetime, last: datetime, layer: Layer) -> Iterator[date]:
    day = max(first.date(), layer.starts)
    while day <= last.date() and (layer.ends is None or day < layer.ends):
        yield day
        day += DAY


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at)


def _cycle(roster: Roster, layer: Layer, first: datetime, last: datetime) -> Walls:
    for day in _days(first, last, layer):
        number = (day - layer.starts).days
        for at, crew in enumerate(layer.crews):
            letter = layer.cycle[(number - at * layer.step_days) % len(layer.cycle)]
            for slot in layer.slots:
                if slot.letter == letter:
                    ended = day if slot.began < slot.ended else day + DAY
                    who = present(crew, day, roster.members)
                    yield _at(day, slot.began), _at(ended, slot.ended), who, letter


def _turns(roster: Roster, layer: Layer, ground: Ground, first: datetime, last: datetime) -> Walls:
    numbers = max(turn_of(layer, first), 0), turn_of(layer, last)
    whose = crews_of_turns(layer, roster.members, *numbers) if numbers[1] >= 0 else {}
    end = None if layer.ends is None else _at(layer.ends, layer.handover)
    if layer.hours == ALL and layer.days == ALL:
        for number, who in whose.items():
            began, ended = turn_begins(layer, number), turn_begins(layer, number + 1)
            if end is None or began < end:
                yield began, ended if end is None else min(ended, end), who, ""
        return
    for day in _days(first, last, layer):
        window = _window(roster, layer, ground, day)
        if window is not None:
            # Hours before the first hand-over of the first day are the first turn's.
            number = max(turn_of(layer, window[0]), 0)
            yield *window, whose.get(number, ()), ""


def _window(roster: Roster, layer: Layer, ground: Ground, day: date) -> tuple[datetime, datetime] | None:
    """When on that day the layer's turn is on duty."""
    opened, closed = office_hours(roster, ground)
    if layer.hours == OFFICE:
        return None if is_off(roster, ground, day) else (_at(day, opened), _at(day, closed))
    if layer.hours == OUTSIDE:
        return _at(day, opened if is_off(roster, ground, day) else closed), _at(day + DAY, opened)
    if isinstance(layer.days, tuple):
        if day.weekday() not in layer.days:
            return None
    elif layer.days != ALL and (layer.days == WORKING) == is_off(roster, ground, day):
        return None
    if layer.hours == ALL:
        return _at(day, layer.handover), _at(day + DAY, layer.handover)
    span = parse_span(layer.hours)
    assert span is not None, layer.hours
    return _at(day, span[0]), _at(day if span[0] < span[1] else day + DAY, span[1])


def _changed(made: list[Shift], layer: Layer, mine: list[Override]) -> list[Shift]:
    found: list[Shift] = []
    for shift in made:
        meeting = [o for o in mine if o.out and o.began_at < shift.ended_at and o.ended_at > shift.began_at]
        inside = {at for o in meeting for at in (o.began_at, o.ended_at) if shift.began_at < at < shift.ended_at}
        points = [shift.began_at, *sorted(inside), shift.ended_at]
        for began, ended in pairwise(points):
            who = shift.people
            for o in meeting:
                if o.out in who and o.began_at <= began < o.ended_at:
                    who = _without(who, o.out, o.instead)
            if who:
                found.append(Shift(began, ended, who, shift.layer, shift.slot))
    more = [o for o in mine if not o.out and o.instead]
    return found + [Shift(o.began_at, o.ended_at, (o.instead,), layer.name) for o in more]


def _without(who: tuple[str, ...], out: str, instead: str) -> tuple[str, ...]:
    at = who.index(out)
    put = (instead,) if instead and instead not in who else ()
    return who[:at] + put + who[at + 1 :]
