"""Agreed work on a calendar: a week or a month of days as they are at one place, and what each piece of work means at the
sites it touches. Values only, no words, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from collector.fleet.calendar import holiday_name, working_spans
from collector.fleet.registry import Fleet, Site
from collector.maintenance.occurrence import occurrences
from collector.maintenance.queries import WindowRow
from collector.maintenance.reach import affected_sites
from collector.store.scope import Scope

WEEK, MONTH = "week", "month"
VIEWS = (WEEK, MONTH)
KOREA = ZoneInfo("Asia/Seoul")
SHOWN_PLACES = 12
"""Sites of one piece of work whose times are written out; the others are counted, those that warn come first."""


class Place(NamedTuple):
    """A site's own clock during the work, and the first of its business hours the work meets (None = none)."""

    site: Site
    began: datetime
    ended: datetime
    meets: tuple[datetime, datetime] | None


class Entry(NamedTuple):
    """One occurrence as it shows on one day; ``begins``/``ends``: whether it does on this day."""

    window: WindowRow
    began: datetime
    ended: datetime
    """By the calendar's clock."""
    begins: bool
    ends: bool
    places: tuple[Place, ...]
    more: int

    @property
    def warns(self) -> bool:
        return any(place.meets is not None for place in self.places)


class Day(NamedTuple):
    """``closed``: why nobody works there that day (a holiday's name, ``weekend``, ``closure``), empty = they do, or the
    calendar is nobody's."""

    day: date
    is_inside: bool
    is_today: bool
    closed: str
    entries: tuple[Entry, ...]


def first_day(view: str, day: date) -> date:
    """A Monday: of the day's week, or of the week its month begins in."""
    start = day.replace(day=1) if view == MONTH else day
    return start - timedelta(days=start.weekday())


def neighbours(view: str, day: date) -> tuple[date, date]:
    """A day of the week or month before, and of the one after."""
    if view == WEEK:
        return day - timedelta(days=7), day + timedelta(days=7)
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1), _next_month(day)


def days_of(
    view: str, day: date, at: Site | None, rows: Iterable[WindowRow], fleet: Fleet, scope: Scope, now: datetime
) -> list[list[Day]]:
    """Weeks of days by the clock of ``at`` (None = Korea's)."""
    zone = ZoneInfo(at.timezone) if at is not None else KOREA
    start = first_day(view, day)
    count = 7 if view == WEEK else _month_days(start, day)
    spans = [
        (row, began, ended)
        for row in rows
        for began, ended in occurrences(row.schedule, _midnight(start, zone), _midnight(start + timedelta(count), zone))
    ]
    spans.sort(key=lambda one: (one[1], one[0].id))
    made = {(row.id, began): _places(row, began, ended, fleet, scope) for row, began, ended in spans}
    days = []
    for each in (start + timedelta(days=at_day) for at_day in range(count)):
        opens, closes = _midnight(each, zone), _midnight(each + timedelta(days=1), zone)
        entries = [
            Entry(
                row,
                began.astimezone(zone),
                ended.astimezone(zone),
                began >= opens,
                ended <= closes,
                *made[row.id, began],
            )
            for row, began, ended in spans
            if began < closes and ended > opens
        ]
        closed = holiday_name(at.calendar, each) if at is not None else "weekend" if each.weekday() > 4 else ""
        is_inside = view == WEEK or each.month == day.month
        days.append(Day(each, is_inside, each == now.astimezone(zone).date(), closed, tuple(entries)))
    return [days[week : week + 7] for week in range(0, len(days), 7)]


def _places(
    row: WindowRow, began: datetime, ended: datetime, fleet: Fleet, scope: Scope
) -> tuple[tuple[Place, ...], int]:
    found: list[Place] = []
    for name in affected_sites(row.subjects, fleet):
        site = fleet.sites[name]
        if not scope.allows(site.agency, site.id):
            continue
        zone = ZoneInfo(site.timezone)
        met = working_spans(site.calendar, zone, began, ended)
        first = (met[0][0].astimezone(zone), met[0][1].astimezone(zone)) if met else None
        found.append(Place(site, began.astimezone(zone), ended.astimezone(zone), first))
    found.sort(key=lambda place: (place.meets is None, place.site.id))
    return tuple(found[:SHOWN_PLACES]), max(0, len(found) - SHOWN_PLACES)


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _month_days(start: date, day: date) -> int:
    """Whole weeks from that Monday to the month's end."""
    return -(-(_next_month(day) - start).days // 7) * 7


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def warned(weeks: Sequence[Sequence[Day]]) -> int:
    """Number of occurrences that meet somebody's business hours."""
    return len(
        {(e.window.id, e.began) for week in weeks for day in week if day.is_inside for e in day.entries if e.warns}
    )
