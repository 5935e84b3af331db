"""How long a request waits for others to share its commit: a commit costs as much as ten reports. Pure.

They wait before anything is looked at, so that they are looked at one after the other: where a processor has just done
the same, it takes half the time. What pays depends on how many come. A thousand agents at their pace are a request each
15 ms: some hundredths of a second bring four more, and nobody notices them. Of three times as many one or two are waited
for, as scrapes of such fleets are what makes pushes wait already. Many come by themselves within a moment; a lone one
would wait in vain.
"""

from __future__ import annotations

LEAST_SECONDS, MOST_SECONDS = 0.005, 0.06
FULL_PER_SECOND = 70.0
"""Up to which the most is waited; of more, less by the square of how many."""
RARE_PER_SECOND = 20.0
"""Fewer than that are not waited for longer than the least."""
MEMORY_SECONDS = 2.0
"""How far back the present rate is looked for."""


class Gathering:
    """Of one writer. Moments are monotonic seconds."""

    def __init__(self) -> None:
        self._per_second = 0.0
        self._looked_at: float | None = None
        self._over_at = 0.0

    def came(self, requests: int, now: float) -> None:
        """So many were taken together at ``now``."""
        if self._looked_at is None:
            self._looked_at = now
            return
        passed = max(now - self._looked_at, 1e-3)
        weight = passed / (passed + MEMORY_SECONDS)
        self._per_second += (requests / passed - self._per_second) * weight
        self._looked_at = now

    def wait(self, now: float) -> float:
        """How long one that comes at ``now`` waits: the first for all, who comes meanwhile until the same moment."""
        if now >= self._over_at:
            self._over_at = now + self.seconds
        return self._over_at - now

    @property
    def seconds(self) -> float:
        """How long the first one waits now."""
        if self._per_second < RARE_PER_SECOND:
            return LEAST_SECONDS
        crowd = max(self._per_second / FULL_PER_SECOND, 1.0)
        return max(MOST_SECONDS / crowd**2, LEAST_SECONDS)
