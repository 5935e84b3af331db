"""Damping of what goes back and forth: a penalty grows by one with each change and halves every quarter of an hour.

Checks come at irregular times, so that a share of the last n results would mean another thing for each of them.
"""

from __future__ import annotations

from typing import NamedTuple

HALF_LIFE_MS = 15 * 60_000
START, STOP = 4.0, 1.5
FORGOTTEN = 0.1


class Flap(NamedTuple):
    penalty: float
    at_ms: int
    is_flapping: bool
    is_bad: bool
    """Whether it was not well at ``at_ms``, whatever was shown."""

    def penalty_at(self, now_ms: int) -> float:
        return float(self.penalty * 0.5 ** (max(0, now_ms - self.at_ms) / HALF_LIFE_MS))


def changed(before: Flap | None, is_bad: bool, now_ms: int) -> Flap:
    """After one more change."""
    penalty = (before.penalty_at(now_ms) if before is not None else 0.0) + 1
    return Flap(penalty, now_ms, is_flapping(before, penalty), is_bad)


def calmed(before: Flap, now_ms: int) -> Flap | None:
    """As it is after quiet time; None where it is forgotten."""
    penalty = before.penalty_at(now_ms)
    if penalty < FORGOTTEN:
        return None
    return before._replace(is_flapping=is_flapping(before, penalty))


def is_flapping(before: Flap | None, penalty: float) -> bool:
    """It starts at 4 and stops at 1.5."""
    return penalty > STOP if before is not None and before.is_flapping else penalty >= START
