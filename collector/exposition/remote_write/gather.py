"""Rows of the log to samples as a destination gets them: labels stamped, ordered, what does not go on left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.names import ABSENT_WORD, FUTURE_LIMIT_MS, STALE_INTERVALS
from collector.exposition.remote_write.batch import Batch
from collector.exposition.remote_write.labels import LabelBytes, host_bytes
from collector.fleet.registry import Fleet
from collector.history.chunk import Instants, Samples, Words
from collector.history.index import UP, HostPart, Index, host_labels
from collector.history.records import Gathering, LogRow, Origin, without_repeats
from collector.log.positions import read_accepted

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
        rows = list(rows)
        gathering = Gathering(self._index.widths, now_ms - self._raw_ms)
        taken = [row.id for row in rows if gathering.add(row)]
        left_out: Counter[str] = Counter(gathering.dropped)
        received = None if self._with_live else _received(rows)
        series: dict[bytes, int] = {}
        hosts: dict[str, int] = {}
        stretches: list[_Stretch] = []
        for origin, gathered in gathering.samples().items():
            samples = without_repeats(gathered)
            agent = fleet.agents.get(origin.agent_id)
            if agent is None or not self._index.hosts_of[origin.schema_hash] <= agent.hosts:
                left_out["unbound"] += len(samples.times)
                continue
            samples = _keep(samples, samples.times <= now_ms + FUTURE_LIMIT_MS, left_out, "future")
            for host in sorted(self._index.hosts_of[origin.schema_hash]):
                mine = samples
                if received is not None:
                    interval_ms = fleet.sites[fleet.hosts[host].site].interval_seconds * 1000
                    seen = is_scraped(samples, received[origin.agent_id, origin.epoch], interval_ms)
                    mine = _keep(samples, ~seen, left_out, "scraped")
                if len(mine.times):
                    stretches.append(self._stretch(origin, host, _sorted(mine), fleet, series, hosts))
        return Gathered(_batch(list(series), stretches), taken, left_out)

    def _stretch(
        self, origin: Origin, host: str, samples: Samples, fleet: Fleet, series: dict[bytes, int], hosts: dict[str, int]
    ) -> _Stretch:
        entry = fleet.hosts[host]
        stamped = host_bytes(host_labels(entry.agency, fleet.sites[entry.site].hub, entry.site, host))
        columns = self._index.columns
        ids, words = [], []
        for part in self._parts(origin.schema_hash, host):
            ids += part.ids.tolist()
            words.append(samples.words[part.places])
        if self._with_live:
            ids.append(UP)
            words.append(np.full((1, len(samples.times)), ONE, np.uint64))
        numbers = np.array(
            [series.setdefault(self._labels.series(columns[at].labels, stamped), len(series)) for at in ids], np.int64
        )
        values = np.concatenate(words)
        present = values != ABSENT_WORD
        goes = present.copy()
        goes[:, 1:] |= present[:, :-1]  # the first that is absent ends the series, the next ones would say it again
        goes[:, 0] = True
        column, instant = np.nonzero(goes)
        return _Stretch(
            numbers[column], hosts.setdefault(host, len(hosts)), samples.times[instant], values[column, instant]
        )

    def _parts(self, schema_hash: bytes, host: str) -> Iterator[HostPart]:
        return (part for part in self._index.by_host[host] if part.schema_hash == schema_hash)


def is_scraped(samples: Samples, received: Mapping[int, int], interval_ms: int) -> NDArray[np.bool_]:
    """Which samples somebody who scrapes could see: fresh when they came, and the newest of those that came with them."""
    at = np.array([received[seq] for seq in samples.seqs.tolist()], np.int64)
    newest: dict[int, int] = {}
    for came, taken in zip(at.tolist(), samples.times.tolist(), strict=True):
        newest[came] = max(newest.get(came, taken), taken)
    is_newest = samples.times == np.array([newest[came] for came in at.tolist()], np.int64)
    fresh: NDArray[np.bool_] = (at - samples.times <= STALE_INTERVALS * interval_ms) & is_newest
    return fresh


def _received(rows: Iterable[LogRow]) -> dict[tuple[bytes, bytes], dict[int, int]]:
    """By agent and epoch, when each number came."""
    found: dict[tuple[bytes, bytes], dict[int, int]] = {}
    for row in rows:
        came = found.setdefault((row.agent_id, row.epoch), {})
        came.update(dict.fromkeys(read_accepted(row.accepted).seqs, row.received_at_ms))
    return found


def _keep(samples: Samples, which: NDArray[np.bool_], left_out: Counter[str], why: str) -> Samples:
    if which.all():
        return samples
    left_out[why] += int((~which).sum())
    return Samples(samples.times[which], samples.offsets[which], samples.seqs[which], samples.words[:, which])


def _sorted(samples: Samples) -> Samples:
    order = np.argsort(samples.times, kind="stable")
    return Samples(samples.times[order], samples.offsets[order], samples.seqs[order], samples.words[:, order])


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
