"""What a benchmark yields, and what it is given."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True)
class Figure:
    """One measured number. ``peers``: the same work by others, in the same unit; ``note`` is for people."""

    id: str
    value: float
    peers: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Bench:
    """What a benchmark may use. ``folder`` is its own and is deleted after it; ``quick`` asks for a rough answer."""

    folder: Path
    quick: bool
    say: Callable[[str], None]

    def pick(self, full: int, quick: int) -> int:
        return quick if self.quick else full


Measure = Callable[[Bench], list[Figure]]


class Goal(NamedTuple):
    """A line of the table. ``measure`` is "module:function" under tests.bench, imported when it is run."""

    id: str
    unit: str
    target: float
    measure: str


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
