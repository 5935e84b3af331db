"""One step tells a person once, however many rosters, teams or collectors name them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

SOON = timedelta(seconds=60)


class Earlier(NamedTuple):
    """A page of this incident that was made before."""

    person: str
    channel: str
    kind: str
    step: int
    state: str
    created_at: datetime


def is_duplicate(person: str, kind: str, step: int, earlier: Iterable[Earlier], now: datetime) -> bool:
    """Whether the person was told just this within the last minute. The same step later is a repetition, and meant."""
    return any(
        (page.person, page.kind, page.step) == (person, kind, step) and timedelta(0) <= now - page.created_at < SOON
        for page in earlier
    )
