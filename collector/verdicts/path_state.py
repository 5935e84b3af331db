"""One vantage's path to one target over its last cycles: how often it failed in a row, and what is usual on it."""

from __future__ import annotations

from typing import NamedTuple

from collector.verdicts.evidence import Probed
from collector.verdicts.thresholds import Limits

MOST_COUNTED = 3
FAILED_CYCLES = 2
CLEAN_CYCLES = 3
"""Large packets are said to pass again after so many cycles without a loss: nine of ten lost still lets some through."""
SLOW_CYCLES = 3
LEARNED_CYCLES = 20
"""Good cycles before a baseline says anything."""
LEARNING = 0.05


class PathState(NamedTuple):
    """``failed``, ``slow``, ``lossy``: cycles in a row, counted up to three; ``large``: cycles until large packets are said
    to pass again. Times in milliseconds."""

    failed: int = 0
    large: int = 0
    slow: int = 0
    lossy: int = 0
    usual_ms: float = 0.0
    spread_ms: float = 0.0
    learned: int = 0
    rtt_ms: float | None = None
    loss_ratio: float | None = None
    mtu_bytes: float | None = None
    at_ms: int = 0
    """Of the report that told the newest cycle, by the receiver's clock."""

    @property
    def said(self) -> tuple[bool, bool, bool, bool, bool]:
        """What judgements look at: a path that says the same as before changes none."""
        return self.is_reached, self.is_failed, self.loses_large, self.is_slow, self.is_lossy

    @property
    def is_failed(self) -> bool:
        return self.failed >= FAILED_CYCLES

    @property
    def is_reached(self) -> bool:
        return self.failed == 0

    @property
    def loses_large(self) -> bool:
        return self.large > 0

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


def follow(before: PathState | None, probed: Probed, limits: Limits, at_ms: int) -> PathState:
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
            mtu_bytes=None,
            at_ms=at_ms,
        )
    rtt_ms = probed.rtt_seconds * 1000 if probed.rtt_seconds is not None else None
    loss = probed.loss_ratio
    above = min(limits.rtt_ms, old.slow_above_ms or limits.rtt_ms)
    is_slow = rtt_ms is not None and rtt_ms > above
    large = old.large if probed.loses_large is None else CLEAN_CYCLES if probed.loses_large else max(0, old.large - 1)
    is_lossy = loss is not None and loss > limits.loss_ratio
    learned = old if rtt_ms is None or is_slow or is_lossy else _learn(old, rtt_ms)
    return learned._replace(
        failed=0,
        large=large,
        slow=min(old.slow + 1, MOST_COUNTED) if is_slow else 0,
        lossy=min(old.lossy + 1, MOST_COUNTED) if is_lossy else 0,
        rtt_ms=rtt_ms,
        loss_ratio=loss,
        mtu_bytes=probed.mtu_bytes,
        at_ms=at_ms,
    )


def _learn(old: PathState, rtt_ms: float) -> PathState:
    weight = max(LEARNING, 1 / (old.learned + 1))
    away = abs(rtt_ms - old.usual_ms) if old.learned else 0.0
    return old._replace(
        usual_ms=old.usual_ms + weight * (rtt_ms - old.usual_ms),
        spread_ms=old.spread_ms + weight * (away - old.spread_ms),
        learned=min(old.learned + 1, 1_000),
    )
