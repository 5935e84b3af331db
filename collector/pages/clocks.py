"""An instant by the clocks a reader needs: the site's, their own, and UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from collector.pages.words import say


def clocks(at: datetime, site_zone: str, own_zone: str, language: str) -> str:
    """``2026-11-22 03:10 Africa/Lagos (local time) / 2026-11-22 11:10 Asia/Seoul (your time) / 2026-11-22 02:10 UTC``.

    A clock that shows what another already showed is left out; the day stands with each, for they differ.
    """
    parts = []
    if site_zone:
        parts.append(f"{_stamp(at, site_zone)} {site_zone} ({say(language, 'line.site_time')})")
    if own_zone and own_zone != site_zone:
        parts.append(f"{_stamp(at, own_zone)} {own_zone} ({say(language, 'line.own_time')})")
    parts.append(f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    return " / ".join(parts)


def _stamp(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
