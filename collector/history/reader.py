"""Reading history: chunks and the log's newest minutes together, as series with their labels.

Within one read the tail comes before the chunks: a chunk job that commits in between makes samples show up in both, and
they are shown once, but never in neither.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from agent.link.names import ABSENT_WORD, STALE_INTERVALS
from agent.link.wire import WireError
from collector.fleet.registry import Registry
from collector.history import queries
from collector.history.chunk import Instants
from collector.history.index import HOST_LABELS, PRESENCE, UP, HostPart, Index, host_labels
from collector.history.matchers import Matchers
from collector.history.presence import presence
from collector.history.reading import Readable, Reading, Wanted, newest_before
from collector.history.rolled import plainly
from collector.history.source import FELL, LabelSet, SeriesData, Source
from collector.history.upstream import Upstream
from collector.store.engine import Store
from collector.store.scope import Scope

log = logging.getLogger(__name__)

MAX_SAMPLES = 50_000_000
DAY_MS = 86_400_000


class History:
    """A ``Source`` of every series agents sent, ``up`` and ``bongsu_check_state`` of each sample."""

    def __init__(self, store: Store, registry: Registry, raw_days: int, max_samples: int = MAX_SAMPLES) -> None:
        self._store = store
        self._registry = registry
        self._max_samples = max_samples
        self._refreshing = threading.Lock()
        self.raw_ms = raw_days * DAY_MS
        self.index = Index()
        self.sources: list[Source] = [self]
        """What queries are answered from; the composition root may put a source of the collector's own series here."""
        self.upstream: Upstream | None = None
        """Who answers instead, where somebody is set."""
        self.coarse: Callable[[int], Sequence[tuple[int, int]]] = lambda _now_ms: ()
        self.told_interval_ms: Callable[[str], int] = lambda _host: 0
        """How often a host reports by its own word, 0 where that is not known."""
        """(before when, resolution) of what is only there in windows, as of an instant."""

    def refresh(self) -> None:
        """Take in schemas that arrived since. Schemas only ever become more, so their count tells."""
        with self._store.reading() as connection:
            self._refresh(connection)

    def select(
        self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope, newest_only: bool = False
    ) -> list[SeriesData]:
        """Every series the matchers name, with its samples of ``[from_ms, to_ms)``; series without any are left out."""
        with self._store.reading() as connection:
            self._refresh(connection)
            wanted = self.wanted(matchers, scope)
            if not wanted:
                return []
            read = Reading(self.index, wanted, from_ms - self.look_ms(wanted), to_ms, self._max_samples, newest_only)
            read.tail(connection, self._registry.fleet)
            read.chunks(connection)
            before = self.last_seen(connection, wanted, from_ms)
        found = []
        for host in wanted:
            found += self.series_of(host, read, before, from_ms, to_ms)
        return found

    def label_sets(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> list[LabelSet]:
        """Labels of the series the matchers name, of schemas that were in use in ``[from_ms, to_ms)``."""
        with self._store.reading() as connection:
            self._refresh(connection)
            active = queries.active_schemas(connection, from_ms, to_ms)
        columns = self.index.columns
        found: set[LabelSet] = set()
        for host in self.wanted(matchers, scope):
            pairs = tuple(host.labels.items())
            for part in host.parts:
                if part.schema_hash in active:
                    found.update(label_set(columns[at].labels, pairs) for at in part.ids.tolist())
        return sorted(found)

    def types(self) -> dict[str, int]:
        """Metric names and their types (0 gauge, 1 counter, 2 untyped), as first seen."""
        self.refresh()
        return dict(self.index.types)

    def _refresh(self, connection: Connection) -> None:
        if queries.schema_count(connection) == len(self.index.widths):
            return
        with self._refreshing:
            missing = queries.schema_hashes(connection) - self.index.widths.keys()
            for schema_hash, packed in queries.packed_schemas(connection, missing):
                try:
                    self.index.add(schema_hash, packed)
                except WireError:
                    log.exception("schema %s cannot be read; its samples are not shown", schema_hash.hex())
                    self.index.widths[schema_hash] = 0

    def wanted(self, matchers: Matchers, scope: Scope) -> list[Wanted]:
        """The hosts the matchers name and the caller may see, and which columns of their schemas."""
        ids = self.index.matching(matchers)
        if not len(ids):
            return []
        on_host = [one for one in matchers if one.label in HOST_LABELS]
        with_up = UP in ids
        hosts = list(self.index.by_host.items())
        is_asked = np.zeros(len(self.index.columns), np.bool_)  # after the hosts: no part has a column that is newer
        is_asked[ids] = True
        chosen = []
        fleet = self._registry.fleet
        for host, parts in hosts:
            entry = fleet.hosts.get(host)
            if entry is None or not scope.allows(entry.agency, entry.site):
                continue
            labels = host_labels(entry.agency, fleet.sites[entry.site].hub, entry.site, host)
            if not all(one.accepts(labels.get(one.label, "")) for one in on_host):
                continue
            kept = tuple(_narrow(one, is_asked, with_up) for one in parts)
            if any(len(part.ids) for part in kept):  # the others tell when a series was left out
                chosen.append(Wanted(host, labels, kept))
        return chosen

    def look_ms(self, wanted: Sequence[Wanted]) -> int:
        """For ``up``: how far before the time asked for a sample still says that the host was there."""
        asked = (one.host for one in wanted if any(UP in part.ids for part in one.parts))
        return STALE_INTERVALS * max(map(self._interval_ms, asked), default=0)

    def _interval_ms(self, host: str) -> int:
        """As its site's profile says, or the host itself where that is more seldom."""
        fleet = self._registry.fleet
        return max(fleet.sites[fleet.hosts[host].site].interval_seconds * 1000, self.told_interval_ms(host))

    def last_seen(self, connection: Connection, wanted: Sequence[Wanted], from_ms: int) -> dict[bytes, int]:
        """For ``up``: by schema, when it was last in use before the time asked for."""
        hosts = {one.host for one in wanted if any(UP in part.ids for part in one.parts)}
        schemas = {part.schema_hash for host in hosts for part in self.index.by_host[host]}
        found = queries.ends_before(connection, schemas, from_ms)
        fleet = self._registry.fleet
        new = {
            agent_id: frozenset(part.schema_hash for part in self.index.by_host[host])
            for host in hosts
            if not any(part.schema_hash in found for part in self.index.by_host[host])
            and (agent_id := fleet.hosts[host].agent_id) is not None
        }
        if new:  # so new that nothing of it is in chunks yet
            found |= newest_before(connection, new, self.index.widths, from_ms)
        return found

    def series_of(
        self, host: Wanted, read: Readable, before: dict[bytes, int], from_ms: int, to_ms: int
    ) -> list[SeriesData]:
        """A host's series over all its instants: where a report left one out, it had ended by then."""
        pieces = [(part, one) for part in host.parts for one in read.of_part(part)]
        found = []
        times = _instants([one.times for _, one in pieces])
        if any(UP in part.ids for part in host.parts):
            rolled = read.presence(part.schema_hash for part in host.parts)
            up = self._up(host, before, _instants([times, *rolled]), from_ms, to_ms)
            if len(up.times):
                found.append(up)
        ids = sorted({at for part, _ in pieces for at in part.ids.tolist()} - {UP})
        if not ids:
            return found
        if len(times) and times[0] < from_ms:  # read for ``up`` alone
            pieces = [(part, one.since(from_ms)) for part, one in pieces]
            times = times[times >= from_ms]
        words = np.full((len(ids), len(times)), ABSENT_WORD, np.uint64)
        has_windows = any(one.folded is not None for _, one in pieces)
        more = np.zeros((FELL + 1, *words.shape)) if has_windows else None
        for part, one in reversed(pieces):  # of several values at one instant the first piece's stands
            own = part.ids[part.ids != UP]
            at_rows, at_times = np.ix_(np.searchsorted(ids, own), np.searchsorted(times, one.times))
            words[at_rows, at_times] = one.words
            if more is not None:
                more[:, at_rows, at_times] = plainly(one.words) if one.folded is None else one.folded
        columns, pairs = self.index.columns, tuple(host.labels.items())
        for at, there in enumerate((words != ABSENT_WORD).any(axis=1).tolist()):
            if there:
                labels = label_set(columns[ids[at]].labels, pairs)
                found.append(SeriesData(labels, times, words[at], None if more is None else more[:, at]))
        return found

    def _up(self, host: Wanted, before: dict[bytes, int], times: Instants, from_ms: int, to_ms: int) -> SeriesData:
        interval_ms = self._interval_ms(host.host)
        ends = [before[part.schema_hash] for part in self.index.by_host[host.host] if part.schema_hash in before]
        times, words = presence(times, max(ends, default=None), to_ms, interval_ms)
        inside = times >= from_ms
        labels = label_set(self.index.columns[UP].labels, host.labels.items())
        return SeriesData(labels, times[inside], words[inside])


def _instants(found: list[Instants]) -> Instants:
    """All instants of several pieces, ascending and each once."""
    if len(found) == 1:
        return found[0]
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def _narrow(part: HostPart, is_asked: NDArray[np.bool_], with_up: bool) -> HostPart:
    """The part with only the columns asked for, ``up`` in front where it is one of them."""
    here = is_asked[part.ids]
    found, places = part.ids[here], part.places[here]
    if with_up:
        found = np.concatenate([np.array([UP], np.int32), found])
        places = np.concatenate([np.array([PRESENCE], np.intp), places])
    return HostPart(part.schema_hash, part.host, found, places)


def label_set(own: Iterable[tuple[str, str]], host: Iterable[tuple[str, str]]) -> LabelSet:
    """``host``: pairs, given again for each series of the host, so that they share them."""
    return tuple(sorted((*own, *host)))
