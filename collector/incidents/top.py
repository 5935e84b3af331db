"""The most frequent causes among many signals. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from collector.incidents.signal import Signal

TOP = 5


def top_causes(signals: Sequence[Signal]) -> list[list[Any]]:
    """[[reason, site, how many]], the most frequent first."""
    counted = Counter((signal.reason, signal.site) for signal in signals)
    return [
        [reason, site, count] for (reason, site), count in sorted(counted.items(), key=lambda i: (-i[1], i[0]))[:TOP]
    ]
