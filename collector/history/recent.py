"""The last minutes of the series rules ask for, in memory.

Rules look at every host once a minute; reading that from the log each time would open each envelope again and again.
Here each envelope is opened once, when it is new, and only the columns some rule asks for are kept. Whatever else is
asked (another series, a longer range) is answered from history, by the same code and with the same values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collector.fleet.registry import Registry
from collector.history import queries
from collector.history.chunk import Instants, Words
from collector.history.index import PRESENCE, UP, HostPart
from collector.history.matchers import Matchers
from collector.history.reader import History
from collector.history.reading import Part, Wanted
from collector.history.records import Gathering, LogRow, Origin
from collector.history.source import LabelSet, SeriesData
from collector.store.engine import Store
from collector.store.scope import Scope

MOST_MS = 20 * 60_000
"""Of history kept here: ranges of most rules, and the lookback, fit in."""
LATE_MS = 180_000
"""A sample that is received so long after it was taken is news about the past."""
REMEMBER_MS = 24 * 3_600_000
OVERLAP = 5_000
"""Ids looked at again: on PostgreSQL a row may be committed after one with a larger id."""
AT_ONCE = 5_000


class _Kept(NamedTuple):
    """Samples of one origin, as they came: for each its time and the words at ``places``."""

    places: NDArray[np.intp]
    times: list[int]
    words: list[NDArray[np.uint64]]


class Recent:
    """A ``Source`` before ``History``. One thread refreshes; it is the one that evaluates rules."""

    def __init__(self, store: Store, registry: Registry, history: History) -> None:
        self._store = store
        self._registry = registry
        self._history = history
        self._interests: tuple[Matchers, ...] = ()
        self._window_ms = 0
        self._kept: dict[Origin, _Kept] = {}
        self._parts: dict[Origin, Part] = {}
        self._places: dict[bytes, NDArray[np.intp]] = {}
        self._mask = np.zeros(0, np.bool_)
        self._origins: dict[bytes, set[Origin]] = {}
        self._seen: set[int] = set()
        self._last_id: int | None = None
        self._from_ms: int | None = None
        self._late_ms: int | None = None
        self._late_sites: dict[str, tuple[int, int]] = {}
        self._answers: dict[tuple[object, ...], list[SeriesData]] = {}

    def keep(self, interests: Iterable[tuple[Matchers, int]]) -> None:
        """Keep these series from now on, each for as far back as somebody looks; what looks further is history's."""
        near = [(matchers, reach_ms) for matchers, reach_ms in interests if reach_ms <= MOST_MS]
        self._interests = tuple(matchers for matchers, _ in near)
        self._window_ms = max((reach_ms for _, reach_ms in near), default=0) + LATE_MS

    def refresh(self, now: datetime) -> None:
        """Take in what was committed since."""
        now_ms = round(now.timestamp() * 1000)
        if not self._interests:
            return
        is_first = self._last_id is None
        self._history.refresh()
        last_id = self._last_id or 0
        with self._store.reading() as connection:
            unseen = set() if is_first else queries.ids_between(connection, last_id - OVERLAP, last_id) - self._seen
            rows = queries.rows_of(connection, unseen)
        self._take(rows, now_ms, is_first)
        while True:
            with self._store.reading() as connection:
                rows = queries.rows_after(connection, last_id, now_ms - self._window_ms, AT_ONCE)
            self._take(rows, now_ms, is_first)
            if not rows:
                break
            last_id = rows[-1].id
        self._last_id = last_id
        self._seen = {number for number in self._seen if number > last_id - OVERLAP}
        self._forget(now_ms - self._window_ms)
        self.let_go()

    def let_go(self) -> None:
        """Forget answers: no more rules ask for this instant."""
        self._answers = {}

    def late_since(self) -> int | None:
        """When the oldest of the samples was taken that came late since this was last asked."""
        found, self._late_ms = self._late_ms, None
        return found

    def late_sites(self) -> dict[str, tuple[int, int]]:
        """By site, the oldest and the newest instant samples came late for since this was last asked. From any thread."""
        found, self._late_sites = self._late_sites, {}
        return found

    def select(
        self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope, newest_only: bool = False
    ) -> list[SeriesData]:
        """What ``History`` would answer, from memory where everything asked for is here."""
        if self._from_ms is None or from_ms < self._from_ms:
            return self._history.select(matchers, from_ms, to_ms, scope, newest_only)
        key = (tuple(one[:3] for one in matchers), from_ms, to_ms, scope)
        known = self._answers.get(key)
        if known is None:  # rules of one instant ask for the same series again and again
            known = self._answers[key] = self._select(matchers, from_ms, to_ms, scope)
        return known

    def _select(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> list[SeriesData]:
        wanted = self._history.wanted(matchers, scope)
        reading = _Reading(self, from_ms - self._history.look_ms(wanted), to_ms)
        if any(self.rows_of(part) is None for host in wanted for part in host.parts):
            return self._history.select(matchers, from_ms, to_ms, scope)
        before = self._before(wanted, from_ms)
        found: list[SeriesData] = []
        for host in wanted:
            found += self._history.series_of(host, reading, before, from_ms, to_ms)
        return found

    def label_sets(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> list[LabelSet]:
        return self._history.label_sets(matchers, from_ms, to_ms, scope)

    def places_of(self, schema_hash: bytes) -> NDArray[np.intp]:
        """Which columns of a schema are kept."""
        known = self._places.get(schema_hash)
        if known is None:
            index = self._history.index
            is_kept = self._is_kept()
            found = [
                part.places[is_kept[part.ids]]
                for host in index.hosts_of.get(schema_hash, ())
                for part in index.by_host[host]
                if part.schema_hash == schema_hash
            ]
            known = self._places[schema_hash] = np.unique(np.concatenate(found)) if found else np.empty(0, np.intp)
        return known

    def rows_of(self, part: HostPart) -> NDArray[np.intp] | None:
        """Where a part's columns stand in what is kept; None where one of them is not kept."""
        places = self.places_of(part.schema_hash)
        if not len(part.places):
            return part.places
        rows = np.searchsorted(places, part.places)
        is_up = part.places == PRESENCE
        is_here = np.zeros(len(rows), np.bool_)
        inside = rows < len(places)
        is_here[inside] = places[rows[inside]] == part.places[inside]
        return np.where(is_up, PRESENCE, rows) if (is_up | is_here).all() else None

    def _is_kept(self) -> NDArray[np.bool_]:
        """By number of a column, whether somebody asked for it to be kept."""
        index = self._history.index
        count = len(index.columns)
        if len(self._mask) != count:
            mask = np.zeros(count, np.bool_)
            for one in self._interests:
                ids = index.matching(one)
                mask[ids[ids < count]] = True
            self._mask = mask
        return self._mask

    def parts_of(self, schema_hash: bytes, from_ms: int, to_ms: int) -> list[Part]:
        """What is kept of a schema between two instants, one part for each origin."""
        agents, hosts = self._registry.fleet.agents, self._history.index.hosts_of[schema_hash]
        found = []
        for origin in self._origins.get(schema_hash, ()):
            agent = agents.get(origin.agent_id)
            if agent is None or not hosts <= agent.hosts:
                continue
            part = self._part(origin)
            low, high = np.searchsorted(part.times, [from_ms, to_ms])
            if low < high:
                found.append(Part(part.times[low:high], part.words[:, low:high]))
        return found

    def _part(self, origin: Origin) -> Part:
        part = self._parts.get(origin)
        if part is None:
            kept = self._kept[origin]
            times, first = np.unique(np.array(kept.times, np.int64), return_index=True)
            words = np.stack(kept.words, axis=1) if kept.words else np.empty((len(kept.places), 0), np.uint64)
            part = self._parts[origin] = Part(times, words[:, first])
        return part

    def _take(self, rows: Sequence[LogRow], now_ms: int, is_first: bool) -> None:
        gathering = Gathering(self._history.index.widths, now_ms - REMEMBER_MS)
        self._seen.update(row.id for row in rows if gathering.add(row))
        for origin, samples in gathering.samples().items():
            lag = gathering.received(origin) - samples.times
            if not is_first and (lag > LATE_MS).any():
                late = samples.times[lag > LATE_MS]
                self._came_late(origin.agent_id, int(late.min()), int(late.max()))
            places = self.places_of(origin.schema_hash)
            kept = self._kept.setdefault(origin, _Kept(places, [], []))
            self._origins.setdefault(origin.schema_hash, set()).add(origin)
            for at in np.flatnonzero(samples.times >= now_ms - self._window_ms).tolist():
                kept.times.append(int(samples.times[at]))
                kept.words.append(samples.words[places, at].copy())
            self._parts.pop(origin, None)
        if not is_first:
            for origin, rolled in gathering.rolled().items():  # made of what waited too long
                self._came_late(origin.agent_id, *rolled.span_ms)

    def _came_late(self, agent_id: bytes, oldest: int, newest: int) -> None:
        self._late_ms = oldest if self._late_ms is None else min(self._late_ms, oldest)
        agent = self._registry.fleet.agents.get(agent_id)
        if agent is not None:
            first, last = self._late_sites.get(agent.site, (oldest, newest))
            # Replaced whole: whoever asks meanwhile takes the one or the other.
            self._late_sites = {**self._late_sites, agent.site: (min(first, oldest), max(last, newest))}

    def _forget(self, before_ms: int) -> None:
        for origin, kept in list(self._kept.items()):
            if kept.times and min(kept.times) >= before_ms:
                continue
            stay = [at for at, at_ms in enumerate(kept.times) if at_ms >= before_ms]
            if not stay:
                del self._kept[origin]
                self._origins[origin.schema_hash].discard(origin)
            elif len(stay) < len(kept.times):
                self._kept[origin] = _Kept(
                    kept.places, [kept.times[at] for at in stay], [kept.words[at] for at in stay]
                )
            self._parts.pop(origin, None)
        self._from_ms = before_ms if self._from_ms is None else max(self._from_ms, before_ms)

    def _before(self, wanted: Sequence[Wanted], from_ms: int) -> dict[bytes, int]:
        """For ``up``: when each schema was last in use before."""
        if not any(UP in part.ids for host in wanted for part in host.parts):
            return {}
        with self._store.reading() as connection:
            return self._history.last_seen(connection, wanted, from_ms)


class _Reading:
    """What ``History`` asks of a read, answered from memory."""

    def __init__(self, recent: Recent, from_ms: int, to_ms: int) -> None:
        self._recent = recent
        self._from_ms = from_ms
        self._to_ms = to_ms

    def of_schema(self, schema_hash: bytes) -> list[Part]:
        return self._recent.parts_of(schema_hash, self._from_ms, self._to_ms)

    def rows(self, part: HostPart) -> NDArray[np.intp]:
        rows = self._recent.rows_of(part)
        assert rows is not None, part
        return rows

    def presence(self, schemas: Iterable[bytes]) -> list[Instants]:  # noqa: ARG002 - nothing here is rolled up
        return []


__all__ = ["Recent", "Words"]
