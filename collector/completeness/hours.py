"""An hour of a site in numbers, and which hours numbers without a record belong to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

HOUR_MS = 3_600_000
DECLARED, EXPIRED, ROLLED_UP, MISSING = "declared", "expired", "rolled_up", "missing"
LOST_KINDS = (DECLARED, EXPIRED, ROLLED_UP, MISSING)
"""declared: by the agent. expired: older than our retention when they came. rolled_up: a roll-up stands for them.
missing: nobody said why."""
FOR_GOOD = (DECLARED, EXPIRED, MISSING)
ENOUGH_RATIO = 0.99
COMPLETE, LATE, NOTHING, PARTIAL, LOST, OPEN = "complete", "late", "nothing", "partial", "lost", "open"
"""What an hour looks like; open = not judged yet."""
SLACK = 1
"""Reports a host may lack in an hour and still be complete: where in an interval an hour begins is chance."""
FINE = 100_000
"""Numbers of one range that are looked at one by one."""


@dataclass(frozen=True, slots=True)
class HostHour:
    """What a host was to send and did. ``expected`` None = not judged yet."""

    received: int
    late: int
    expected: int | None


@dataclass(frozen=True, slots=True)
class SiteHour:
    """``covered``: of the expected, how many came. ``lost``: numbers by kind."""

    hour_ms: int
    expected: int = 0
    received: int = 0
    late: int = 0
    covered: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)
    is_open: bool = False

    @property
    def ratio(self) -> float | None:
        """Share of what was expected that came, 0 to 1; None where nothing was."""
        return self.covered / self.expected if self.expected else None

    @property
    def lost_for_good(self) -> int:
        return sum(self.lost.get(kind, 0) for kind in FOR_GOOD)

    @property
    def state(self) -> str:
        if self.is_open:
            return OPEN
        if self.lost_for_good:
            return LOST
        ratio = self.ratio
        if ratio is None:
            return COMPLETE if self.received else OPEN
        if not self.received:
            return NOTHING if not self.lost.get(ROLLED_UP) else PARTIAL
        if ratio < ENOUGH_RATIO:
            return PARTIAL
        return LATE if self.late > (1 - ENOUGH_RATIO) * self.received else COMPLETE


def expected_of(eligible_ms: int, interval_ms: int) -> int:
    """Reports due in so much time."""
    return eligible_ms // interval_ms if interval_ms > 0 else 0


def outside_ms(first_ms: int, last_ms: int, spans: Iterable[tuple[int, int]]) -> int:
    """How much of ``[first_ms, last_ms)`` lies in none of the spans."""
    left, at = 0, first_ms
    for began, ended in sorted(spans):
        left += max(0, min(began, last_ms) - at)
        at = max(at, ended)
    return left + max(0, last_ms - at)


def site_hour(hour_ms: int, hosts: Iterable[HostHour], lost: Mapping[str, int], is_open: bool) -> SiteHour:
    """A site's hour out of its hosts'. One host's surplus never covers another's shortfall."""
    expected = received = late = covered = 0
    for host in hosts:
        received += host.received
        late += host.late
        if host.expected is None:
            is_open = True
            continue
        expected += host.expected
        is_enough = host.received > 0 and host.received >= host.expected - SLACK
        covered += host.expected if is_enough else host.received
    return SiteHour(hour_ms, expected, received, late, covered, lost, is_open)


class LostRange(NamedTuple):
    """Numbers ``first..last`` without a record; ``at_ms``: when we learnt of it."""

    first: int
    last: int
    kind: str
    at_ms: int


Known = tuple[int, int]
"""(number, when its sample was taken)"""


def by_hour(lost: Iterable[LostRange], known: Sequence[Known]) -> Counter[tuple[int, str]]:
    """(hour, kind) -> numbers, each put between its neighbours of which it is known when they were taken.

    Where none is known of an epoch, the hour is that in which we learnt of the loss.
    """
    points = sorted(set(known))
    seqs, times = [float(seq) for seq, _ in points], [float(at) for _, at in points]
    found: Counter[tuple[int, str]] = Counter()
    for one in lost:
        count = one.last - one.first + 1
        if not points:
            found[one.at_ms // HOUR_MS * HOUR_MS, one.kind] += count
            continue
        looked = np.linspace(one.first, one.last, min(count, FINE))
        hours = np.interp(looked, seqs, times) // HOUR_MS * HOUR_MS
        each, counts = np.unique(hours, return_counts=True)
        left = count
        for place, (hour, share) in enumerate(zip(each.tolist(), counts.tolist(), strict=True), 1):
            part = left if place == len(each) else round(count * share / len(looked))
            found[int(hour), one.kind] += part
            left -= part
    return +found
