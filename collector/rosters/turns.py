"""Whose turn it is: crews one after another, each for the same stretch of wall time.

A turn goes to the next crew after the one that had the last, of those who belong on its first day. So whoever joins or
leaves on a date changes nothing before it, and nobody's order after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from collector.rosters.roster import Layer, Membership


def belongs(person: str, day: date, members: Sequence[Membership]) -> bool:
    """Whether somebody belongs on a day; who is not listed always does, who is listed twice does in either time."""
    own = [each for each in members if each.person == person]
    return not own or any(
        (each.joined is None or each.joined <= day) and (each.left is None or day < each.left) for each in own
    )


def present(crew: Sequence[str], day: date, members: Sequence[Membership]) -> tuple[str, ...]:
    return tuple(person for person in crew if belongs(person, day, members))


def anchor(layer: Layer) -> datetime:
    return datetime.combine(layer.starts, layer.handover)


def turn_of(layer: Layer, wall: datetime) -> int:
    """The number of the turn a wall time falls into; negative before the first."""
    return (wall - anchor(layer)) // timedelta(hours=layer.turn_hours)


def turn_begins(layer: Layer, number: int) -> datetime:
    return anchor(layer) + number * timedelta(hours=layer.turn_hours)


def crews_of_turns(layer: Layer, members: Sequence[Membership], first: int, last: int) -> dict[int, tuple[str, ...]]:
    """Who has the turns ``first`` to ``last``; empty where nobody who belongs is left."""
    changes = {0, last + 1}
    for person in {person for crew in layer.crews for person in crew}:
        for each in members:
            if each.person == person:
                changes |= {_first_turn_on(layer, day) for day in (each.joined, each.left) if day is not None}
    points = sorted(number for number in changes if 0 <= number <= last + 1)
    had = -1
    found: dict[int, tuple[str, ...]] = {}
    for began, ended in pairwise(points):
        day = turn_begins(layer, began).date()
        there = [at for at, crew in enumerate(layer.crews) if present(crew, day, members)]
        if not there:
            found |= dict.fromkeys(range(max(began, first), ended), ())
            continue
        start = next((place for place, at in enumerate(there) if at > had), 0)
        for number in range(max(began, first), ended):
            found[number] = present(layer.crews[there[(start + number - began) % len(there)]], day, members)
        had = there[(start + ended - 1 - began) % len(there)]
    return found


def _first_turn_on(layer: Layer, day: date) -> int:
    """The first turn that begins on ``day`` or later."""
    midnight = datetime.combine(day, datetime.min.time())
    return -(-(midnight - anchor(layer)) // timedelta(hours=layer.turn_hours))
