"""How long a request waits for others to share its commit: a commit costs as much as ten reports. Pure.

What pays depends on how many come. A thousand agents at their pace are a request each 15 ms: a few hundredths of a second
bring two more, and nobody notices them. Many come by themselves within a moment; a lone one would wait in vain.
"""

from __future__ import annotations

WORTH = 2.0
"""Others to wait for."""
LEAST_SECONDS, MOST_SECONDS = 0.005, 0.03
RARE_PER_SECOND = 20.0
"""Fewer than that are not waited for longer than the least."""
MEMORY_SECONDS = 2.0
"""How far back the present rate is looked for."""


class Gathering:
    """Of one writer. Moments are monotonic seconds."""

    def __init__(self) -> None:
        self._per_second = 0.0
        self._looked_at: float | None = None

    def came(self, requests: int, now: float) -> None:
        """So many were taken together at ``now``."""
        if self._looked_at is None:
            self._looked_at = now
            return
        passed = max(now - self._looked_at, 1e-3)
        weight = passed / (passed + MEMORY_SECONDS)
        self._per_second += (requests / passed - self._per_second) * weight
        self._looked_at = now

    @property
    def seconds(self) -> float:
        """How long the first one waits now."""
        if self._per_second < RARE_PER_SECOND:
            return LEAST_SECONDS
        return min(max(WORTH / self._per_second, LEAST_SECONDS), MOST_SECONDS)
