"""What an answer out of old history has to say besides: where samples are gone, not every function says what it would have.

quantile_over_time over node_load1[1d] is approximate before 2026-11-07T00:00:00Z: of every 5 minutes only the last value is
left there
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from collector.history.promql import ranges
from collector.history.promql.plan import Selector
from collector.history.source import COUNT, SeriesData

MINUTE_MS = 60_000


def warn(
    warnings: list[str],
    name: str,
    node: Selector,
    found: Sequence[SeriesData],
    first_ms: int,
    coarse: Sequence[tuple[int, int]],
) -> None:
    """Adds what there is to say of a function over these series, once; ``coarse`` as in ``Query``."""
    if name not in ranges.BY_LAST | ranges.OF_TWO:
        return
    if not any(one.folded is not None and bool((one.folded[COUNT] > 1).any()) for one in found):
        return
    touched = [(before_ms, every_ms) for before_ms, every_ms in coarse if first_ms < before_ms]
    # What an agent rolled up by itself lies anywhere, in windows of its own.
    before_ms = touched[0][0] if touched else None
    longest_ms = max((every_ms for _, every_ms in touched), default=0)
    where = f" before {_instant(before_ms)}" if before_ms is not None else " where agents rolled up their own samples"
    every = f"every {_minutes(longest_ms)}" if longest_ms else "each of their windows"
    if name in ranges.OF_TWO and node.range_ms is not None and node.range_ms < 2 * longest_ms:
        text = (
            f"{name} over {node.text} has no value{where}: the range must be {_minutes(2 * longest_ms)} or more there"
        )
    elif name in ranges.BY_LAST:
        text = f"{name} over {node.text} is approximate{where}: of {every} only the last value is left there"
    else:
        return
    if text not in warnings:
        warnings.append(text)


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _minutes(ms: int) -> str:
    return f"{ms // MINUTE_MS} minutes"
