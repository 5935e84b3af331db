"""Rows of the log to samples as a destination gets them: labels stamped, ordered, what does not go on left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.names import ABSENT_WORD, FUTURE_LIMIT_MS, STALE_INTERVALS
from collector.exposition.remote_write.batch import Batch
from collector.exposition.remote_write.labels import HostBytes, LabelBytes, host_bytes
from collector.fleet.registry import Fleet
from collector.history.chunk import Instants, Words
from collector.history.index import UP, Index, host_labels
from collector.history.records import Gathering, LogRow, Origin
from collector.history.rolled import BadRollUp, RolledRows, spread

ONE = np.float64(1.0).view(np.uint64)


class Gathered(NamedTuple):
    batch: Batch
    taken: list[int]
    """Ids of the rows that are in it, wholly; others wait for a schema."""
    left_out: Counter[str]
    """Reports that do not go on, by why: ``future``, ``expired``, ``unbound``, ``malformed``, ``scraped``."""


class _Stretch(NamedTuple):
    """Samples of one host's part of one schema."""

    numbers: NDArray[np.int64]
    host: int
    times: Instants
    words: Words


class Gatherer:
    """``with_live`` is mode ``all``; without it, what a scraper saw is left out."""

    def __init__(self, index: Index, with_live: bool, raw_ms: int) -> None:
        self._index = index
        self._with_live = with_live
        self._raw_ms = raw_ms
        self._labels = LabelBytes()

    def gather(self, rows: Iterable[LogRow], fleet: Fleet, now_ms: int) -> Gathered:
        gathering = Gathering(self._index.widths, now_ms - self._raw_ms)
        taken = [row.id for row in rows if gathering.add(row)]
        making = _Making(self._index, self._labels, fleet, Counter(gathering.dropped))
        for origin, samples in gathering.samples().items():
            if not making.is_bound(origin, len(samples.times)):
                continue
            received = gathering.received(origin)
            goes = samples.times <= now_ms + FUTURE_LIMIT_MS
            making.left_out["future"] += int((~goes).sum())
            for host in sorted(self._index.hosts_of[origin.schema_hash]):
                mine = goes
                if not self._with_live:
                    interval_ms = fleet.sites[fleet.hosts[host].site].interval_seconds * 1000
                    seen = goes & is_scraped(samples.times, received, interval_ms)
                    making.left_out["scraped"] += int(seen.sum())
                    mine = goes & ~seen
                times, words = samples.times[mine], samples.words[:, mine]
                making.add(origin, host, times, words, times if self._with_live else None)
        for origin, rolled in gathering.rolled().items():
            if making.is_bound(origin, len(rolled)):
                making.add_rolled(origin, rolled, now_ms + FUTURE_LIMIT_MS, self._with_live)
        left_out = Counter({reason: count for reason, count in making.left_out.items() if count})
        return Gathered(_batch(list(making.series), making.stretches), taken, left_out)


class _Making:
    """A batch in the making."""

    def __init__(self, index: Index, labels: LabelBytes, fleet: Fleet, left_out: Counter[str]) -> None:
        self._index = index
        self._labels = labels
        self._fleet = fleet
        self._hosts: dict[str, int] = {}
        self.left_out = left_out
        self.series: dict[bytes, int] = {}
        self.stretches: list[_Stretch] = []

    def is_bound(self, origin: Origin, reports: int) -> bool:
        """Whether the agent may speak for every host of the schema; counted where not."""
        agent, speaks_for = self._fleet.agents.get(origin.agent_id), self._index.hosts_of.get(origin.schema_hash)
        if agent is not None and speaks_for is not None and speaks_for <= agent.hosts:
            return True
        self.left_out["unbound"] += reports
        return False

    def add_rolled(self, origin: Origin, rolled: RolledRows, latest_ms: int, with_up: bool) -> None:
        """As history shows roll-ups: the last value where the window ends, ``up`` all through it."""
        try:
            samples, began, counts = rolled.samples(self._index.counters[origin.schema_hash])
        except BadRollUp:
            self.left_out["malformed"] += len(rolled)
            return
        goes = samples.times <= latest_ms
        self.left_out["future"] += int((~goes).sum())
        times, words = samples.times[goes], samples.words[: self._index.widths[origin.schema_hash], goes]
        up = spread(began[goes], times, counts[goes]) if with_up else None
        for host in sorted(self._index.hosts_of[origin.schema_hash]):
            self.add(origin, host, times, words, up)

    def add(self, origin: Origin, host: str, times: Instants, words: Words, up: Instants | None) -> None:
        """Samples of a schema as one of its hosts has them, and the instants at which it was up, if they go too."""
        if not len(times):
            return
        order = np.argsort(times, kind="stable")
        times, words = times[order], words[:, order]
        entry = self._fleet.hosts[host]
        stamped = host_bytes(host_labels(entry.agency, self._fleet.sites[entry.site].hub, entry.site, host))
        at_host = self._hosts.setdefault(host, len(self._hosts))
        parts = [part for part in self._index.by_host[host] if part.schema_hash == origin.schema_hash]
        values = np.concatenate([words[part.places] for part in parts])
        present = values != ABSENT_WORD
        goes = present.copy()
        goes[:, 1:] |= present[:, :-1]  # the first that is absent ends the series, the next ones would say it again
        goes[:, 0] = True
        column, instant = np.nonzero(goes)
        numbers = np.array([self._number(at, stamped) for part in parts for at in part.ids.tolist()], np.int64)
        self.stretches.append(_Stretch(numbers[column], at_host, times[instant], values[column, instant]))
        if up is not None:
            number = np.full(len(up), self._number(UP, stamped), np.int64)
            self.stretches.append(_Stretch(number, at_host, up, np.full(len(up), ONE, np.uint64)))

    def _number(self, column: int, stamped: HostBytes) -> int:
        encoded = self._labels.series(self._index.columns[column].labels, stamped)
        return self.series.setdefault(encoded, len(self.series))


def is_scraped(times: Instants, received: Instants, interval_ms: int) -> NDArray[np.bool_]:
    """Which samples somebody who scrapes could see: fresh when they came, and the newest of those that came with them."""
    newest: dict[int, int] = {}
    for came, taken in zip(received.tolist(), times.tolist(), strict=True):
        newest[came] = max(newest.get(came, taken), taken)
    is_newest = times == np.array([newest[came] for came in received.tolist()], np.int64)
    fresh: NDArray[np.bool_] = (received - times <= STALE_INTERVALS * interval_ms) & is_newest
    return fresh


def _batch(series: list[bytes], stretches: list[_Stretch]) -> Batch:
    if not stretches:
        nothing = np.empty(0, np.int64)
        return Batch([], nothing, nothing, nothing, np.empty(0, np.uint64))
    numbers = np.concatenate([one.numbers for one in stretches])
    hosts = np.concatenate([np.full(len(one.times), one.host, np.int64) for one in stretches])
    times = np.concatenate([one.times for one in stretches])
    words = np.concatenate([one.words for one in stretches])
    order = np.lexsort((numbers, hosts, times))
    numbers, hosts, times, words = numbers[order], hosts[order], times[order], words[order]
    again = np.zeros(len(times), np.bool_)  # two schemas may name one series; of two values at one instant one stands
    again[1:] = (numbers[1:] == numbers[:-1]) & (times[1:] == times[:-1])
    return Batch(series, numbers[~again], hosts[~again], times[~again], words[~again])
