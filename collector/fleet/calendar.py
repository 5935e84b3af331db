"""When a site works: its country's public holidays, the Korean days it keeps besides, its weekend, its own closures.

Holidays come from the library ``holidays``, by country and part of it; days nobody can compute (a state funeral, a move)
are the site's own closures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from collector.fleet.paths import SiteCalendar

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SATURDAY_SUNDAY = frozenset({5, 6})
KOREAN_DAYS: Mapping[str, str] = {
    "new-year": "New Year's Day",
    "seollal": "Korean New Year",
    "march-first": "Independence Movement Day",
    "childrens-day": "Children's Day",
    "buddhas-birthday": "Buddha's Birthday",
    "memorial-day": "Memorial Day",
    "constitution-day": "Constitution Day",
    "liberation-day": "Liberation Day",
    "chuseok": "Chuseok",
    "foundation-day": "National Foundation Day",
    "hangul-day": "Hangul Day",
    "christmas": "Christmas Day",
}
"""Ours -> the library's. A day's substitute counts with it."""


@cache
def countries() -> frozenset[str]:
    return frozenset(_supported())


@cache
def subdivisions(country: str) -> frozenset[str]:
    return frozenset(_supported().get(country, ()))


def parse_hours(text: str) -> tuple[time, time] | None:
    """``09:00-18:00`` -> its two times; None where it is not that."""
    first, dash, last = text.partition("-")
    try:
        began, ended = time.fromisoformat(first), time.fromisoformat(last)
    except ValueError:
        return None
    return (began, ended) if dash and len(first) == len(last) == 5 and began < ended else None


def holiday_name(calendar: SiteCalendar, day: date) -> str:
    """Why nobody works that day: a holiday's name, ``closure``, ``weekend``; empty on a working day."""
    if day.isoformat() in calendar.closures:
        return "closure"
    if calendar.country and (name := _of_country(calendar.country, calendar.subdivision, day.year).get(day)):
        return str(name)
    if calendar.korean_days and (name := _of_country("KR", "", day.year).get(day)):
        kept = [KOREAN_DAYS[each] for each in calendar.korean_days]
        if any(each in part for part in name.split("; ") for each in kept):
            return str(name)
    return "weekend" if day.weekday() in weekend(calendar) else ""


def weekend(calendar: SiteCalendar) -> frozenset[int]:
    """Weekdays, 0 = Monday."""
    if calendar.weekend:
        return frozenset(WEEKDAYS.index(day) for day in calendar.weekend)
    if not calendar.country:
        return SATURDAY_SUNDAY
    return frozenset(_of_country(calendar.country, calendar.subdivision, 2026).weekend)


def working_spans(
    calendar: SiteCalendar, zone: ZoneInfo, began_at: datetime, ended_at: datetime
) -> list[tuple[datetime, datetime]]:
    """Business hours that ``[began_at, ended_at)`` meets, as aware instants cut to it."""
    hours = parse_hours(calendar.business_hours)
    if hours is None or ended_at <= began_at:
        return []
    found = []
    day = began_at.astimezone(zone).date() - timedelta(days=1)
    while day <= ended_at.astimezone(zone).date():
        if not holiday_name(calendar, day):
            opened, closed = (datetime.combine(day, each, zone).astimezone(began_at.tzinfo) for each in hours)
            if opened < ended_at and closed > began_at:
                found.append((max(opened, began_at), min(closed, ended_at)))
        day += timedelta(days=1)
    return found


def _supported() -> Mapping[str, Any]:
    import holidays  # two hundred countries: not at every start

    found: Mapping[str, Any] = holidays.list_supported_countries(include_aliases=False)
    return found


@cache
def _of_country(country: str, subdivision: str, year: int) -> Any:
    import holidays

    return holidays.country_holidays(country, subdiv=subdivision or None, years=year, language=_english(country))


@cache
def _english(country: str) -> str | None:
    import holidays

    return "en_US" if "en_US" in holidays.list_localized_countries(include_aliases=False).get(country, ()) else None
