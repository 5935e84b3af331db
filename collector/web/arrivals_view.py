"""Of every site how much of what should have come did come: now, and over the last hours. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.link.names import STALE_INTERVALS
from collector.completeness.hours import OPEN, SiteHour
from collector.fleet.registry import Site
from collector.web.view import Judged


@dataclass(frozen=True, slots=True)
class Arrival:
    """``overdue``: reports due since the last one of each host that is silent, 0 where all are on time. The rest is of the
    hours that are judged; ``ratio`` None = none is yet."""

    site: Site
    verdict: Judged
    last_ms: int | None
    overdue: int
    expected: int
    missing: int
    late: int
    lost: int
    open_hours: int

    @property
    def ratio(self) -> float | None:
        return (self.expected - self.missing) / self.expected if self.expected else None

    @property
    def is_whole(self) -> bool:
        return not (self.overdue or self.missing or self.late or self.lost)

    @property
    def order(self) -> tuple[int, int, int, int, str]:
        """The gravest first."""
        return -self.lost, -self.overdue, -self.missing, -self.late, self.site.id


def arrival(site: Site, verdict: Judged, heard_ms: Sequence[int], hours: Sequence[SiteHour], now_ms: int) -> Arrival:
    """``heard_ms``: when each host that ever reported did so last; ``hours``: those of which anything is known."""
    judged = [hour for hour in hours if hour.state != OPEN]
    return Arrival(
        site,
        verdict,
        max(heard_ms, default=None),
        overdue_of(site.interval_seconds * 1000, heard_ms, now_ms),
        sum(hour.expected for hour in judged),
        sum(hour.expected - hour.covered for hour in judged),
        sum(hour.late for hour in judged),
        sum(hour.lost_for_good for hour in judged),
        len(hours) - len(judged),
    )


def overdue_of(interval_ms: int, heard_ms: Iterable[int], now_ms: int) -> int:
    """Reports due since the last ones. A host is silent after as many intervals as its verdict waits for."""
    silent = (now_ms - at_ms for at_ms in heard_ms)
    return sum(ms // interval_ms for ms in silent if ms > STALE_INTERVALS * interval_ms)
