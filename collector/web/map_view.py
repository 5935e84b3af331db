"""What the maps show: where each site lies, how it is, whom it is joined to, and where its name fits. Values only.

Names are set so that none lies on another: beside the mark where there is room, else a little away with a thin line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import cos, pi, sin
from typing import NamedTuple

from collector.fleet.registry import Fleet, Named
from collector.verdicts.standing import NO_DATA, OK
from collector.web.projection import KOREA, WORLD, View
from collector.web.view import SiteRow

MOST_NAMES = 60
"""On a map with more sites only those that are not well are named; the table names all."""
MARK = 9.0
"""Half the size of a mark, in units of the drawing."""
HOME = 36.5, 127.8
"""Where Korea stands on the world's map, as one place."""
LETTER = 17.0
"""Height of a name."""


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


class Spot(NamedTuple):
    """A site on a map. ``anchor`` is SVG's; ``is_away`` = a thin line joins the name to its mark."""

    row: SiteRow
    name: str
    x: float
    y: float
    is_named: bool
    name_x: float
    name_y: float
    anchor: str
    is_away: bool

    @property
    def state(self) -> int:
        return self.row.verdict.state


class Join(NamedTuple):
    """A line from a site to its hub, or from a hub to the centre."""

    state: int
    x1: float
    y1: float
    x2: float
    y2: float


class HubSpot(NamedTuple):
    hub: Named
    state: int
    x: float
    y: float


class Drawn(NamedTuple):
    view: View
    spots: tuple[Spot, ...]
    joins: tuple[Join, ...]
    hubs: tuple[HubSpot, ...]


def drawn(
    view: View, rows: Iterable[SiteRow], names: dict[str, str], fleet: Fleet, hub_states: dict[str, int]
) -> Drawn:
    """The map of one view. On the world's map the sites of Korea are one place: theirs is the other map."""
    here = [(row, *at) for row in rows if (at := place_of(row, view)) is not None]
    if view is WORLD:
        here = [each for each in here if place_of(each[0], KOREA) is None]
    here.sort(key=lambda each: (-each[0].verdict.state, each[0].site.id))
    hubs = {} if view is KOREA else hub_places(rows, fleet, view)
    return Drawn(view, _named(here, names, view, hubs.values()), _joins(here, hubs, fleet, hub_states, view), _hub_spots(hubs, fleet, hub_states))  # fmt: skip


def place_of(row: SiteRow, view: View) -> tuple[float, float] | None:
    latitude, longitude = row.site.latitude, row.site.longitude
    if latitude is None or longitude is None or not view.holds(latitude, longitude):
        return None
    return view.place(latitude, longitude)


def hub_places(rows: Iterable[SiteRow], fleet: Fleet, view: View) -> dict[str, tuple[float, float]]:
    """A hub is drawn between its sites, a little off any mark: where it stands is not part of the topology."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        at = place_of(row, view)
        if at is not None and row.site.hub in fleet.hubs:
            found.setdefault(row.site.hub, []).append(at)
    return {
        hub: (sum(x for x, _ in places) / len(places), sum(y for _, y in places) / len(places))
        for hub, places in found.items()
    }


def _joins(
    here: Sequence[tuple[SiteRow, float, float]],
    hubs: dict[str, tuple[float, float]],
    fleet: Fleet,
    hub_states: dict[str, int],
    view: View,
) -> tuple[Join, ...]:
    lines = [Join(row.verdict.state, x, y, *hubs[row.site.hub]) for row, x, y in here if row.site.hub in hubs]
    centre = next((site for site in fleet.sites.values() if site.is_collector and site.latitude is not None), None)
    if centre is not None and centre.latitude is not None and centre.longitude is not None:
        home = view.place(centre.latitude, centre.longitude)
        lines += [Join(hub_states.get(hub, NO_DATA), *at, *home) for hub, at in hubs.items()]
    return tuple(lines)


def _hub_spots(hubs: dict[str, tuple[float, float]], fleet: Fleet, hub_states: dict[str, int]) -> tuple[HubSpot, ...]:
    return tuple(HubSpot(fleet.hubs[hub], hub_states.get(hub, NO_DATA), *at) for hub, at in sorted(hubs.items()))


def _named(
    here: Sequence[tuple[SiteRow, float, float]], names: dict[str, str], view: View, hubs: Iterable[tuple[float, float]]
) -> tuple[Spot, ...]:
    taken = [Box(x - MARK, y - MARK, x + MARK, y + MARK) for _, x, y in here]
    taken += [Box(x - MARK, y - MARK, x + MARK, y + MARK) for x, y in hubs]
    if view is WORLD:
        x, y = view.place(*HOME)
        taken.append(Box(x - 32, y - 34, x + 32, y + 16))
    found = []
    for row, x, y in here:
        if len(here) > MOST_NAMES and row.verdict.state == OK:
            found.append(Spot(row, names[row.site.id], x, y, False, x, y, "start", False))
            continue
        name = names[row.site.id]
        name_x, name_y, anchor, is_away, box = _room(name, x, y, taken, view)
        taken.append(box)
        found.append(Spot(row, name, x, y, True, name_x, name_y, anchor, is_away))
    return tuple(found)


def width_of(name: str) -> float:
    """About how wide a name is drawn: a Korean letter is as wide as it is high."""
    return sum(1.0 if ord(letter) > 0x2E80 else 0.58 for letter in name) * LETTER


def _room(name: str, x: float, y: float, taken: Sequence[Box], view: View) -> tuple[float, float, str, bool, Box]:
    """The nearest place for a name where nothing is yet."""
    wide = width_of(name)
    first = None
    for far in (0, 1, 2, 3, 4):
        for turn in (0, 4, 6, 2, 7, 1, 5, 3):
            angle = turn * pi / 4
            reach = MARK + 4 + far * LETTER
            at_x, at_y = x + cos(angle) * reach, y - sin(angle) * reach
            anchor = "middle" if turn in (2, 6) else "start" if turn in (0, 1, 7) else "end"
            left = {"start": at_x, "middle": at_x - wide / 2, "end": at_x - wide}[anchor]
            middle = at_y - (LETTER / 2 if turn == 2 else -LETTER / 2 if turn == 6 else 0)
            box = Box(left, middle - LETTER * 0.55, left + wide, middle + LETTER * 0.55)
            place = (at_x, middle + LETTER * 0.34, anchor, far > 0, box)
            first = first or place
            is_on = box.left >= 0 and box.right <= view.width and box.top >= 0 and box.bottom <= view.height
            if is_on and not any(box.meets(other) for other in taken):
                return place
    assert first is not None
    return first
