"""When agreed work is: local times made instants, over changes of the clocks.

Work agreed for 02:00 to 04:00 is from 02:00 to 04:00 by the clocks on the wall there, however many hours that is. A time that
the clocks jump over is the instant they jump to; of one that comes twice a window begins at the first and ends with the
second, so that it is rather too long than too short. Intervals are half-open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from collector.fleet.calendar import WEEKDAYS

DAY, WEEK, MONTH = "day", "week", "month"
EVERY = (DAY, WEEK, MONTH)
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``weekdays``: of weekly work, empty = the first one's; ``until``: the last local day on which it may begin."""

    every: str
    weekdays: tuple[str, ...] = ()
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    timezone: str
    starts_local: datetime
    """Without a zone: the clock on the wall."""
    duration_minutes: int
    repeat: Repeat | None = None
    ended_at: datetime | None = None
    """Cut short or cancelled: nothing of it is from then on."""


def active_at(schedule: Schedule, now: datetime) -> Span | None:
    """The occurrence that ``now`` is in."""
    first = now - timedelta(minutes=schedule.duration_minutes) - timedelta(days=2)
    return next(
        (span for span in occurrences(schedule, first, now + timedelta(days=2)) if span[0] <= now < span[1]), None
    )


def occurrences(schedule: Schedule, from_at: datetime, to_at: datetime) -> Iterator[Span]:
    """Every occurrence that meets ``[from_at, to_at)``, in order, as UTC instants."""
    zone = ZoneInfo(schedule.timezone)
    day = max(
        from_at.astimezone(zone).date() - timedelta(minutes=schedule.duration_minutes, days=1),
        schedule.starts_local.date(),
    )
    last = to_at.astimezone(zone).date() + timedelta(days=1)
    if schedule.repeat is None:
        last = min(last, schedule.starts_local.date())
    elif schedule.repeat.until is not None:
        last = min(last, schedule.repeat.until)
    while day <= last:
        if _begins_on(schedule, day):
            began, ended = span_on(schedule, day, zone)
            if schedule.ended_at is not None:
                ended = min(ended, schedule.ended_at)
            if began < min(ended, to_at) and ended > from_at:
                yield began, ended
        day += timedelta(days=1)


def span_on(schedule: Schedule, day: date, zone: ZoneInfo) -> Span:
    """The occurrence that begins on that local day."""
    local = datetime.combine(day, schedule.starts_local.time())
    length = timedelta(minutes=schedule.duration_minutes)
    began = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    ended = (local + length).replace(tzinfo=zone, fold=1).astimezone(UTC)
    return began, ended if ended > began else began + length


def _begins_on(schedule: Schedule, day: date) -> bool:
    first, repeat = schedule.starts_local.date(), schedule.repeat
    if day < first:
        return False
    if repeat is None:
        return day == first
    if repeat.every == WEEK:
        weekdays = repeat.weekdays or (WEEKDAYS[first.weekday()],)
        return WEEKDAYS[day.weekday()] in weekdays
    return repeat.every == DAY or day.day == first.day
