"""When a page that did not leave is tried again, and when the person's next channel is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from agent.link.clock import Chance
from collector.pages.page import CRITICAL

TRIES, TRIES_CRITICAL = 4, 2
"""So many failures on one channel, and the next one is tried as well."""
CAP_SECONDS = 300.0
FIRST_SECONDS = 2.0


class Next(NamedTuple):
    """``at`` None: this channel is not tried again. ``falls_back``: the next channel is due now."""

    at: datetime | None
    falls_back: bool


def after_failure(
    attempts: int,
    severity: str,
    permanent: bool,
    wait_seconds: float | None,
    now: datetime,
    chance: Chance,
) -> Next:
    """``attempts``: tries so far, this one counted; ``wait_seconds``: what the service asked for.

    Full jitter, doubling from two seconds to five minutes: pages that failed together do not come back together.
    """
    if permanent:
        return Next(None, True)
    most = TRIES_CRITICAL if severity == CRITICAL else TRIES
    wait = chance.uniform(0.0, min(CAP_SECONDS, FIRST_SECONDS * 2.0 ** min(attempts, 10)))
    if wait_seconds is not None:
        wait = max(wait, min(wait_seconds, 3600.0))
    return Next(now + timedelta(seconds=wait), attempts >= most)
