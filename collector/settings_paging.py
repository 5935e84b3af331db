"""``[paging]``: when people are called, how that is tried, and what may be said outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collector.errors import SettingsError, nearest

DAYS = ("", "daily", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _key(default: Any, expected: str, least: int | None = None) -> Any:
    return field(default=default, metadata={"expected": expected, "least": least})


@dataclass(frozen=True, slots=True)
class PagingSettings:
    island_minutes: int = _key(10, "a whole number of minutes, at least 1", 1)
    console_minutes: int = _key(0, "a whole number of minutes (0 = nobody needs to watch)", 0)
    outside: str = _key("phone sms alimtalk jandi naverworks slack teams telegram ntfy", "channels with spaces between")
    keep_days: int = _key(730, "a whole number of days, at least 30", 30)
    summary_at: str = _key("09:00", "a time of day, such as 09:00, or nothing")
    test_day: str = _key("", "mon, tue, wed, thu, fri, sat, sun, daily, or nothing")
    test_at: str = _key("10:00", "a time of day, such as 10:00")
    test_timezone: str = _key("Asia/Seoul", "the name of a time zone, such as Asia/Seoul")

    @property
    def outside_channels(self) -> frozenset[str]:
        """Those that leave the house: they are told an incident's number, its severity and a site's alias."""
        return frozenset(self.outside.split())


def check_paging(paging: PagingSettings, name: str) -> None:
    """Raises SettingsError, naming the key."""
    if paging.test_day not in DAYS:
        hint = nearest(paging.test_day, DAYS[1:])
        raise SettingsError(f"{name}: [paging] test_day = {paging.test_day!r}: {hint}")
    for key, value in (("test_at", paging.test_at), ("summary_at", paging.summary_at or "00:00")):
        try:
            time.fromisoformat(value)
        except ValueError:
            raise SettingsError(f"{name}: [paging] {key} = {value!r}: expected a time such as 10:00") from None
    try:
        ZoneInfo(paging.test_timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = paging.test_timezone
        raise SettingsError(f"{name}: [paging] test_timezone = {zone!r}: expected such as Asia/Seoul") from None
