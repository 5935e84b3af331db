"""One vantage's path to one target over its last cycles: how often it failed in a row, and what is usual on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from collector.verdicts.evidence import Probed
from collector.verdicts.thresholds import Limits

MOST_COUNTED = 3
FAILED_CYCLES = 2
LARGE_CYCLES = 2
"""Two in a row, so that the third cycle at the latest shows it."""
SLOW_CYCLES = 3
LEARNED_CYCLES = 20
"""Good cycles before a baseline says anything."""
LEARNING = 0.05
LARGE_LOSS_RATIO, SMALL_LOSS_RATIO = 0.3, 0.05
"""Large packets are lost where this many are, while no more than that of the small ones are."""


class PathState(NamedTuple):
    """``failed``, ``large``, ``slow``, ``lossy``: cycles in a row, counted up to three. Times in milliseconds."""

    failed: int = 0
    large: int = 0
    slow: int = 0
    lossy: int = 0
    usual_ms: float = 0.0
    spread_ms: float = 0.0
    learned: int = 0
    rtt_ms: float | None = None
    loss_ratio: float | None = None
    large_loss_ratio: float | None = None

    @property
    def is_failed(self) -> bool:
        return self.failed >= FAILED_CYCLES

    @property
    def is_reached(self) -> bool:
        return self.failed == 0

    @property
    def loses_large(self) -> bool:
        return self.large >= LARGE_CYCLES

    @property
    def is_slow(self) -> bool:
        return self.slow >= SLOW_CYCLES

    @property
    def is_lossy(self) -> bool:
        return self.lossy >= SLOW_CYCLES

    @property
    def slow_above_ms(self) -> float | None:
        """What is learned to be too slow here; None = not learned yet."""
        if self.learned < LEARNED_CYCLES:
            return None
        return self.usual_ms + max(4 * self.spread_ms, 0.5 * self.usual_ms, 20.0)

    def plain(self) -> list[Any]:
        return list(self)

    @staticmethod
    def of(values: Sequence[Any]) -> PathState:
        return PathState(*values)


def follow(before: PathState | None, probed: Probed, limits: Limits) -> PathState:
    """The path after one more cycle. What is too slow is not learned: a lasting fault must not become the usual."""
    old = before or PathState()
    if not probed.is_reached:
        return old._replace(
            failed=min(old.failed + 1, MOST_COUNTED),
            large=0,
            slow=0,
            lossy=0,
            rtt_ms=None,
            loss_ratio=probed.loss_ratio,
            large_loss_ratio=None,
        )
    rtt_ms = probed.rtt_seconds * 1000 if probed.rtt_seconds is not None else None
    loss, large = probed.loss_ratio, probed.large_loss_ratio
    above = min(limits.rtt_ms, old.slow_above_ms or limits.rtt_ms)
    is_slow = rtt_ms is not None and rtt_ms > above
    loses_large = large is not None and large >= LARGE_LOSS_RATIO and (loss or 0.0) <= SMALL_LOSS_RATIO
    is_lossy = loss is not None and loss > limits.loss_ratio
    learned = old if rtt_ms is None or is_slow or is_lossy else _learn(old, rtt_ms)
    return learned._replace(
        failed=0,
        large=min(old.large + 1, MOST_COUNTED) if loses_large else 0,
        slow=min(old.slow + 1, MOST_COUNTED) if is_slow else 0,
        lossy=min(old.lossy + 1, MOST_COUNTED) if is_lossy else 0,
        rtt_ms=rtt_ms,
        loss_ratio=loss,
        large_loss_ratio=large,
    )


def _learn(old: PathState, rtt_ms: float) -> PathState:
    weight = max(LEARNING, 1 / (old.learned + 1))
    away = abs(rtt_ms - old.usual_ms) if old.learned else 0.0
    return old._replace(
        usual_ms=old.usual_ms + weight * (rtt_ms - old.usual_ms),
        spread_ms=old.spread_ms + weight * (away - old.spread_ms),
        learned=min(old.learned + 1, 1_000),
    )
