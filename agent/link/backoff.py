"""How long to wait before trying again: full jitter, doubling from one second, at most a minute.

Full jitter because thousands of agents lose the same collector at the same moment; with it, a collector that comes
back is asked at a steady pace instead of in waves.
"""

from __future__ import annotations

from agent.link.clock import Chance

FIRST_SECONDS = 1.0
CAP_SECONDS = 60.0


def backoff_seconds(failures: int, chance: Chance) -> float:
    """The wait after the ``failures``-th failure in a row (from 1)."""
    return chance.uniform(0.0, min(CAP_SECONDS, FIRST_SECONDS * 2.0 ** min(failures, 10)))
