"""How many pages one person can read in a while. What is more waits; the highest severity hardly ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from collector.pages.page import CRITICAL

WINDOW = timedelta(minutes=10)
MOST, MOST_CRITICAL = 6, 30


def throttled_until(severity: str, earlier: Sequence[datetime], now: datetime) -> datetime | None:
    """When the next page may be made, None = now. ``earlier``: when this person's last pages were made, in any order."""
    most = MOST_CRITICAL if severity == CRITICAL else MOST
    lately = sorted(at for at in earlier if now - WINDOW < at <= now)
    return None if len(lately) < most else lately[-most] + WINDOW
