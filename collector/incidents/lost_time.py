"""What an incident cost in availability: for how long of it each thing was down, or nobody knew. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from collector.verdicts.standing import DOWN, NO_DATA, Change

MONTH_SECONDS = 30 * 86_400


class LostTime(NamedTuple):
    kind: str
    id: str
    down_seconds: float
    unseen_seconds: float
    """Without data: counted as neither up nor down."""

    @property
    def month_ratio(self) -> float:
        """Of a month of thirty days, the share that the time down is."""
        return self.down_seconds / MONTH_SECONDS


def lost_time(kind: str, id_: str, changes: Sequence[Change], state_now: int, began_ms: int, ended_ms: int) -> LostTime:
    """``changes`` of the thing in ``[began_ms, ended_ms)``, oldest first; with none it stood all the while as it does now."""
    at_ms = began_ms
    state: int | None = changes[0].before if changes else state_now
    lost = {DOWN: 0.0, NO_DATA: 0.0}
    for change in changes:
        if state in lost:
            lost[state] += (change.at_ms - at_ms) / 1000
        at_ms, state = change.at_ms, change.after
    if state in lost:
        lost[state] += (ended_ms - at_ms) / 1000
    return LostTime(kind, id_, lost[DOWN], lost[NO_DATA])
