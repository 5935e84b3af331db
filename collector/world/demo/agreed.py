"""What people of the demonstration agreed: work on lines and servers, and a day off nobody stands in for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from collector.app import App
from collector.fleet.calendar import working_spans
from collector.fleet.registry import Fleet
from collector.maintenance.occurrence import DAY, Repeat, Schedule
from collector.maintenance.queries import PLANNED, add_window, end_window
from collector.maintenance.warning import BUSINESS_HOURS, warnings_of
from collector.rosters.queries import replace_days_off
from collector.rosters.roster import ALWAYS
from collector.rosters.tables import rosters
from collector.store.schema import instant

KOREA = "Asia/Seoul"
KOREAN_NIGHT = time(1, 0)
NIGHT_MINUTES = 180
TONIGHT = "미주 전용회선 작업 1차 · North American lines, first part"
LATER = "미주 전용회선 작업 2차 · North American lines, second part"
USUAL = "공관 서버 정기 점검 · Usual work on a mission's servers"
USUAL_MINUTES = 90
USUAL_SITES = ("brasilia", "beijing", "warsaw")
"""One of them is outside its business hours at any time; no disaster is played at them."""
AHEAD_DAYS = 14
LEAVE_SECONDS = 180
"""Work that is called off holds for so long, until whoever was cut off has reported again."""
OFF_DAYS = 2
"""Around today: a play may go on over midnight, whichever clock that is by."""


def agree_line_work(app: App, sites: Sequence[str], minutes: int) -> tuple[int, ...]:
    """Windows for lines of these sites: from now, and in the next Korean night that meets their business hours. The
    missions were not told."""
    now = instant(app.clock.wall_ms())
    subjects = [("site", site) for site in sites]
    first = Schedule(KOREA, _wall(now, KOREA), minutes)
    second = next_meeting_night(app.registry.fleet, subjects, now)
    with app.store.transaction() as connection:
        return tuple(
            add_window(connection, title, PLANNED, subjects, schedule, None, now, "kim")
            for title, schedule in ((TONIGHT, first), (LATER, second))
        )


def call_off(app: App, windows: Sequence[int]) -> None:
    at = instant(app.clock.wall_ms()) + timedelta(seconds=LEAVE_SECONDS)
    with app.store.transaction() as connection:
        for window in windows:
            end_window(connection, window, at)


def next_meeting_night(fleet: Fleet, subjects: Sequence[tuple[str, str]], now: datetime) -> Schedule:
    """Work in the early hours of Korea, on the first day on which that is office hours of every site named."""
    today = now.astimezone(ZoneInfo(KOREA)).date()
    for days in range(1, AHEAD_DAYS):
        found = Schedule(KOREA, datetime.combine(today + timedelta(days=days), KOREAN_NIGHT), NIGHT_MINUTES)
        met = {one.site for one in warnings_of(found, subjects, fleet, now, is_told=True) if one.code == BUSINESS_HOURS}
        if met == {site for _, site in subjects}:
            break
    return found


def agree_usual_work(app: App) -> None:
    """Daily work that hurts nobody, under way now: outside the business hours of its mission, which was told."""
    now = instant(app.clock.wall_ms())
    sites = [app.registry.fleet.sites[site] for site in USUAL_SITES]
    ends = now + timedelta(minutes=USUAL_MINUTES)
    site = next(one for one in sites if not working_spans(one.calendar, ZoneInfo(one.timezone), now, ends))
    schedule = Schedule(site.timezone, _wall(now, site.timezone), USUAL_MINUTES, Repeat(DAY))
    with app.store.transaction() as connection:
        add_window(connection, USUAL, PLANNED, [("site", site.id)], schedule, now, now, "kim")


def close_team(app: App, roster: str) -> None:
    """A substitute holiday: the team's office is closed, somebody has to be on duty all the same, and nobody is entered."""
    now = instant(app.clock.wall_ms())
    with app.store.transaction() as connection:
        known = connection.execute(select(rosters).where(rosters.c.id == roster)).first()
        if known is None:
            return
        today = now.astimezone(ZoneInfo(known.definition["timezone"])).date()
        days = [today + timedelta(days=number) for number in range(-OFF_DAYS, OFF_DAYS + 1)]
        replace_days_off(connection, roster, [(day, "대체공휴일") for day in days])
        wanted = known.definition | {"cover": ALWAYS}
        connection.execute(update(rosters).where(rosters.c.id == roster).values(definition=wanted))


def open_team(app: App, roster: str, cover: str) -> None:
    """The holiday is over."""
    with app.store.transaction() as connection:
        replace_days_off(connection, roster, ())
        known = connection.execute(select(rosters).where(rosters.c.id == roster)).first()
        if known is not None:
            wanted = known.definition | {"cover": cover}
            connection.execute(update(rosters).where(rosters.c.id == roster).values(definition=wanted))


def _wall(now: datetime, zone: str) -> datetime:
    return now.astimezone(ZoneInfo(zone)).replace(tzinfo=None, second=0, microsecond=0)
