"""Instants and durations as people read them.

Tables: ``2026-07-31 14:05:09``, in Korea time, with the site's time beside it. Ages count in the browser; the server
writes the age at the moment it made the page, so that it is right without script too.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collector.web.i18n import Words

KST = timezone(timedelta(hours=9), "KST")
"""Korea has had no summer time since 1988."""


@cache
def zone(name: str) -> tzinfo:
    """A time zone by name; UTC where this machine has no such zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def at(ms: int, where: tzinfo = KST) -> datetime:
    return datetime.fromtimestamp(ms / 1000, where)


def stamp(ms: int | None, where: tzinfo = KST) -> str:
    """``2026-07-31 14:05:09``."""
    return "" if ms is None else at(ms, where).strftime("%Y-%m-%d %H:%M:%S")


def iso(ms: int) -> str:
    return at(ms, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def zone_label(name: str, ms: int) -> str:
    """``Europe/Berlin (UTC+02:00)`` at that instant."""
    offset = at(ms, zone(name)).strftime("%z")
    return f"{name} (UTC{offset[:3]}:{offset[3:]})"


def both(ms: int, zone_name: str, own: str = "") -> str:
    """An instant in Korea time, in a site's and in the reader's own, on one line; a clock that says the same is left out."""
    said = [f"{stamp(ms)} KST"]
    offsets: list[timedelta | None] = [KST.utcoffset(None)]
    for name in (zone_name, own):
        here = at(ms, zone(name)) if name else None
        if here is not None and here.utcoffset() not in offsets:
            said.append(f"{here:%Y-%m-%d %H:%M:%S} {name}")
            offsets.append(here.utcoffset())
    return " · ".join(said)


def city(name: str) -> str:
    """``Berlin`` of ``Europe/Berlin``: what a zone is called where there is little room."""
    return name.rpartition("/")[2].replace("_", " ")


def own_zone(name: str, now_ms: int) -> str:
    """The zone of a reader whose clock is not Korea's now, else empty."""
    return name if name and at(now_ms, zone(name)).utcoffset() != KST.utcoffset(None) else ""


def age(now_ms: int, then_ms: int, words: Words) -> str:
    """``12 s ago``. The browser repeats these very steps (static/age.js)."""
    seconds = (now_ms - then_ms) // 1000
    if seconds < -60:
        return words("age.ahead")
    if seconds < 1:
        return words("age.now")
    for key, size, limit in (("seconds", 1, 100), ("minutes", 60, 6000), ("hours", 3600, 172_800)):
        if seconds < limit:
            return words(f"age.{key}", n=seconds // size)
    return words("age.days", n=seconds // 86_400)


def duration(seconds: float, words: Words) -> str:
    """``3 d 4 h``: two units, the rest is noise."""
    whole = int(seconds)
    if whole < 60:
        return words("duration.seconds", n=whole)
    if whole < 3600:
        return words("duration.minutes", n=whole // 60)
    if whole < 86_400:
        return words("duration.hours_minutes", h=whole // 3600, m=whole % 3600 // 60)
    return words("duration.days_hours", d=whole // 86_400, h=whole % 86_400 // 3600)
