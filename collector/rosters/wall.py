"""From wall time to instants: what a clock on the wall shows, and when it does.

Where clocks go back a wall time is shown twice: a shift begins at the first showing and ends at the last. Where they go
forward some are never shown: both then mean the instant at which the clock jumped over them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


def begins(wall: datetime, zone: str) -> datetime:
    """The first instant (UTC) at which a clock of ``zone`` has reached ``wall`` (naive)."""
    return min(_showings(wall, zone))


def ends(wall: datetime, zone: str) -> datetime:
    """The instant (UTC) from which a clock of ``zone`` never shows anything before ``wall`` again."""
    return max(_showings(wall, zone))


def wall_at(at: datetime, zone: str) -> datetime:
    """What the clock shows, naive."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@lru_cache(maxsize=16_384)
def _showings(wall: datetime, zone: str) -> tuple[datetime, datetime]:
    place = ZoneInfo(zone)
    early, late = (wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= late:
        return early, late
    # Never shown: the clock jumped after ``late`` and not after ``early``.
    low, high = late, early
    before = low.astimezone(place).utcoffset()
    while high - low > SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(place).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high, high
