"""When the test page is due: on a weekday, or every day, at a time of some place. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from collector.fleet.calendar import WEEKDAYS

DAILY = "daily"
DAYS = ("", DAILY, *WEEKDAYS)
LATE = timedelta(hours=1)
"""A test that was missed for longer, the collector being off, is left out."""


def drill_due(day: str, clock: str, zone: str, now: datetime) -> datetime | None:
    """The instant of the test that is due now, None where none is. By it the test is known: made once for it."""
    if not day:
        return None
    place = ZoneInfo(zone)
    today = now.astimezone(place).date()
    at = datetime.combine(today, time.fromisoformat(clock), place).astimezone(UTC)
    is_day = day == DAILY or WEEKDAYS[today.weekday()] == day
    return at if is_day and at <= now < at + LATE else None
