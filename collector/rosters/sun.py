"""A layer that follows the sun: made from the sites' own zones, calendars and office hours, with no rule of its own.

On duty is the site that opened last of those that are open. Where none is open, the one that closed last stays for the
layer's overtime; after that the layer is silent, and the next layer (home duty, as a rule) is called.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from collector.fleet.calendar import holiday_name, parse_hours
from collector.fleet.paths import SiteCalendar
from collector.rosters.roster import Ground, Layer, Roster, Shift
from collector.rosters.turns import present
from collector.rosters.wall import begins, ends, wall_at

DAY = timedelta(days=1)


class Open(NamedTuple):
    """A site's working day; ``until`` is when its overtime ends."""

    began_at: datetime
    ended_at: datetime
    until_at: datetime
    place: int
    people: tuple[str, ...]


def shifts(roster: Roster, layer: Layer, ground: Ground, from_at: datetime, to_at: datetime) -> list[Shift]:
    """Shifts of the layer that meet ``[from_at, to_at)``, whole."""
    days = [each for place in range(len(layer.sites)) for each in _days(roster, layer, ground, place, from_at, to_at)]
    points = sorted({at for each in days for at in (each.began_at, each.ended_at, each.until_at)})
    found: list[Shift] = []
    for began, ended in pairwise(points):
        chosen = _chosen(days, began)
        if chosen is None:
            continue
        shift = Shift(began, ended, chosen.people, layer.name, layer.sites[chosen.place])
        if found and found[-1].ended_at == began and found[-1][2:] == shift[2:]:
            found[-1] = found[-1]._replace(ended_at=ended)
        else:
            found.append(shift)
    return found


def _chosen(days: list[Open], at: datetime) -> Open | None:
    opened = [each for each in days if each.began_at <= at < each.ended_at]
    if opened:
        return max(opened, key=lambda each: (each.began_at, -each.place))
    staying = [each for each in days if each.ended_at <= at < each.until_at]
    return max(staying, key=lambda each: (each.ended_at, -each.place), default=None)


def _days(roster: Roster, layer: Layer, ground: Ground, place: int, from_at: datetime, to_at: datetime) -> list[Open]:
    site = layer.sites[place]
    zone, calendar = ground.zones.get(site, roster.timezone), ground.calendars.get(site, SiteCalendar())
    opened, closed = parse_hours(calendar.business_hours) or (time(9), time(18))
    day = max(wall_at(from_at, zone).date() - 3 * DAY, layer.starts)
    last = wall_at(to_at, zone).date() + 3 * DAY
    found = []
    while day <= last and (layer.ends is None or day < layer.ends):
        who = present(layer.crews[place], day, roster.members)
        if who and not holiday_name(calendar, day):
            until = datetime.combine(day, closed) + timedelta(minutes=layer.overtime_minutes)
            found.append(
                Open(
                    begins(datetime.combine(day, opened), zone),
                    ends(datetime.combine(day, closed), zone),
                    ends(until, zone),
                    place,
                    who,
                )
            )
        day += DAY
    return found
