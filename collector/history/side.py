"""All that is kept of series: samples and their rollups, the collector's own numbers, and the last minutes in memory."""

from __future__ import annotations

from datetime import datetime

from agent.link.clock import Clock
from collector.fleet.registry import Registry
from collector.history.ageing import DAY_MS, Ageing, Days
from collector.history.own import OwnSeries
from collector.history.reader import History
from collector.history.recent import Recent
from collector.history.upstream import Upstream
from collector.settings import HistorySettings
from collector.store.engine import Store


class HistorySide:
    """``past`` answers about any time, ``own`` keeps what the collector records of itself, ``recent`` is what rules look at."""

    def __init__(self, keeps: HistorySettings, store: Store, registry: Registry, clock: Clock) -> None:
        self._keeps = keeps
        self.past = History(store, registry, keeps.raw_days)
        self._ageing = Ageing(store, self.past, Days(keeps.raw_days, keeps.rollup_5m_days, keeps.rollup_1h_days))
        self.past.coarse = self._ageing.coarse
        if keeps.upstream:
            self.past.upstream = Upstream(keeps.upstream, clock.monotonic, keeps.upstream_login)
        self.own = OwnSeries(store)
        self.past.sources.append(self.own)
        self.recent = Recent(store, registry, self.past)

    def age(self, now: datetime) -> int:
        """Thin out and forget what is old enough; how many rows were."""
        keeps, now_ms = self._keeps, round(now.timestamp() * 1000)
        done = self._ageing.step(now)
        done += self.own.thin(now_ms - keeps.raw_days * DAY_MS)
        return done + self.own.forget(now_ms - max(keeps.raw_days, keeps.rollup_5m_days) * DAY_MS)

    def refresh(self, now: datetime) -> int | None:
        """What rules look at, up to now; since when samples came late."""
        self.recent.refresh(now)
        return self.recent.late_since()
