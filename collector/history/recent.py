"""The last minutes of the series rules ask for, in memory.

Rules look at every host once a minute; reading that from the log each time would open each envelope again and again.
Here the writer hands over each sample it committed, and only the columns some rule asks for are kept, each for as long
as somebody looks back at it. What did not come that way (before a start, or through another process) is read from the
log. Whatever else is asked (another series, a longer range) is answered from history, with the same values.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.names import ABSENT_WORD, KIND_ROLLUP
from collector.fleet.registry import Registry
from collector.history import queries
from collector.history.choices import Asked, Choices, Chosen, Remembered, asked_by
from collector.history.chunk import Words
from collector.history.index import UP
from collector.history.matchers import Matchers
from collector.history.reader import History
from collector.history.reading import Wanted
from collector.history.records import Gathering, LogRow, Origin
from collector.history.source import LabelSet, Newest, SeriesData, Spans
from collector.history.strip import Strip
from collector.history.strips import Strips, side_by_side
from collector.intake.work import Outcome
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
INBOX = 10_000
"""Envelopes handed over and not taken in yet; of more the log tells."""


class _Brought(NamedTuple):
    """The samples of an envelope that was committed: schema, time and words of each."""

    name: queries.RowName
    received_at_ms: int
    samples: list[tuple[bytes, int, Words]]


class Recent:
    """A ``Near`` source before ``History``. One thread refreshes; it is the one that evaluates rules."""

    def __init__(self, store: Store, registry: Registry, history: History) -> None:
        self._store = store
        self._registry = registry
        self._history = history
        self._interests: dict[Asked, tuple[Matchers, int]] = {}
        self._window_ms = 0
        self._reaches = np.zeros(0, np.int64)
        self._strips = Strips()
        self._made_of: dict[Origin, list[tuple[int, Strip]]] = {}
        self._inbox: deque[_Brought] = deque(maxlen=INBOX)
        self._brought: set[queries.RowName] = set()
        self._seen: set[int] = set()
        self._last_id: int | None = None
        self._refreshed_ms: int | None = None
        self._late_ms: int | None = None
        self._late_sites: dict[str, tuple[int, int]] = {}
        self._choices = Choices(registry, history, self._strips)

    def keep(self, interests: Iterable[tuple[Matchers, int]]) -> None:
        """Keep these series, each for as far back as somebody looks; what looks further is history's. Call once."""
        for matchers, reach_ms in interests:
            if reach_ms <= MOST_MS:
                known = self._interests.get(asked_by(matchers), (matchers, 0))
                self._interests[asked_by(matchers)] = (matchers, max(known[1], reach_ms))
        self._window_ms = max((reach_ms for _, reach_ms in self._interests.values()), default=0) + LATE_MS

    def bring(self, outcome: Outcome, received_at_ms: int) -> None:
        """What became of an envelope whose commit is done. From the writer's thread."""
        envelope, accepted = outcome.envelope, outcome.accepted
        if self._last_id is None or not accepted.seqs or envelope.missing:
            return
        if envelope.records and any(record.kind == KIND_ROLLUP for record, _ in envelope.records):
            return
        news = set(accepted.seqs).difference(accepted.future)
        name = (envelope.header.agent_id, envelope.header.epoch, accepted.seqs[0], accepted.seqs[-1])
        samples = [
            (one.schema_hash, one.taken_at_ms + one.offset_ms, one.words) for one in envelope.samples if one.seq in news
        ]
        self._inbox.append(_Brought(name, received_at_ms, samples))

    def take_in(self, now: datetime) -> None:
        """Keep what the writer handed over."""
        now_ms = round(now.timestamp() * 1000)
        widths = self._history.index.widths
        while self._inbox:
            name, received_at_ms, samples = self._inbox.popleft()
            if not all(schema_hash in widths for schema_hash, _, _ in samples):
                continue  # its schema is read first, then it from the log
            self._brought.add(name)
            for schema_hash, at_ms, words in samples:
                origin = Origin(name[0], name[1], schema_hash)
                self._keep(origin, at_ms, words, now_ms)
                if received_at_ms - at_ms > LATE_MS:
                    self._came_late(name[0], at_ms, at_ms)

    def refresh(self, now: datetime) -> None:
        """Take in what was committed since."""
        now_ms = round(now.timestamp() * 1000)
        if not self._interests:
            return
        is_first = self._last_id is None
        self._history.refresh()
        self.take_in(now)
        last_id = self._last_id or 0
        with self._store.reading() as connection:
            is_in_order = is_first or self._store.is_sqlite
            unseen = set() if is_in_order else queries.ids_between(connection, last_id - OVERLAP, last_id) - self._seen
            rows = queries.rows_of(connection, unseen)
        self._take(rows, now_ms, is_first)
        while True:
            with self._store.reading() as connection:
                names = queries.names_after(connection, last_id, now_ms - self._window_ms, AT_ONCE)
                self._seen.update(number for number, name in names if name in self._brought)
                rows = queries.rows_of(connection, [number for number, name in names if name not in self._brought])
            self._take(rows, now_ms, is_first)
            if not names:
                break
            self._brought.difference_update(name for _, name in names)
            last_id = names[-1][0]
        self._last_id = last_id
        self._seen = {number for number in self._seen if number > last_id - OVERLAP}
        if len(self._brought) > INBOX:
            self._brought = set()
        self._strips.forget(now_ms, LATE_MS)
        self._made_of = {origin: made for origin, made in self._made_of.items() if all(len(strip) for _, strip in made)}
        self._refreshed_ms = now_ms if self._refreshed_ms is None else max(self._refreshed_ms, now_ms)

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
        if not self._has(asked_by(matchers), from_ms):
            return self._history.select(matchers, from_ms, to_ms, scope, newest_only)
        return self._mixed(self._history.wanted(matchers, scope), from_ms, to_ms)

    def newest(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> Newest | None:
        chosen = self._chosen(matchers, from_ms, scope)
        if chosen is None:
            return None
        found = self._strips.newest(chosen.choice, from_ms, to_ms)
        more = [one for one in self._mixed(chosen.mixed, from_ms, to_ms) if one.words[-1] != ABSENT_WORD]
        if not more:
            return found
        labels = found.labels.and_more(one.labels for one in more)
        times = np.concatenate([found.times, np.array([one.times[-1] for one in more], np.int64)])
        return Newest(
            labels, times, np.concatenate([found.words, np.array([one.words[-1] for one in more], np.uint64)])
        )

    def spans(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> Spans | None:
        chosen = self._chosen(matchers, from_ms, scope)
        if chosen is None:
            return None
        found = self._strips.spans(chosen.choice, from_ms, to_ms)
        more = self._mixed(chosen.mixed, from_ms, to_ms)
        if not more:
            return found
        labels = found.labels.and_more(one.labels for one in more)
        own = [(times, words[np.newaxis]) for times, words in zip(found.times, found.words, strict=True)]
        return side_by_side(labels, [*own, *((one.times, one.words[np.newaxis]) for one in more)])

    def label_sets(self, matchers: Matchers, from_ms: int, to_ms: int, scope: Scope) -> list[LabelSet]:
        return self._history.label_sets(matchers, from_ms, to_ms, scope)

    def _has(self, asked: Asked, from_ms: int) -> bool:
        known = self._interests.get(asked)
        if known is None or self._refreshed_ms is None:
            return False
        return from_ms >= self._refreshed_ms - known[1] - LATE_MS

    def _chosen(self, matchers: Matchers, from_ms: int, scope: Scope) -> Chosen | None:
        return self._choices.of(matchers, scope) if self._has(asked_by(matchers), from_ms) else None

    def _mixed(self, hosts: Sequence[Wanted], from_ms: int, to_ms: int) -> list[SeriesData]:
        """Series of hosts whose samples came in more than one form, put together as history does."""
        if not hosts:
            return []
        before: dict[bytes, int] = {}
        if any(UP in part.ids for host in hosts for part in host.parts):
            with self._store.reading() as connection:
                before = self._history.last_seen(connection, hosts, from_ms)
        read_from = from_ms - self._history.look_ms(hosts)
        read = Remembered(self._strips, self._registry.fleet, self._history.index, read_from, to_ms)
        return [one for host in hosts for one in self._history.series_of(host, read, before, from_ms, to_ms)]

    def _keep(self, origin: Origin, at_ms: int, words: Words, now_ms: int) -> None:
        """Keep a sample's columns that somebody asks for."""
        made = self._made_of.get(origin)
        if made is None:
            made = self._made_of[origin] = self._strips_of(origin)
        for reach_ms, strip in made:
            if at_ms >= now_ms - reach_ms - LATE_MS:
                strip.add(at_ms, words)
        self._strips.changed()

    def _strips_of(self, origin: Origin) -> list[tuple[int, Strip]]:
        """By how far back their columns are looked at, the strips a sample goes into; of each host it speaks of."""
        index, reach_of = self._history.index, self._reach_of()
        made = []
        for host in index.hosts_of.get(origin.schema_hash, ()):
            for part in index.by_host[host]:
                if part.schema_hash != origin.schema_hash:
                    continue
                reaches = reach_of[part.ids]
                for reach_ms in sorted({*reaches.tolist(), int(reach_of[UP])} - {0}):
                    here = reaches == reach_ms
                    key = (host, origin, reach_ms)
                    made.append((reach_ms, self._strips.get(key, part.ids[here], part.places[here])))
        return made

    def _reach_of(self) -> NDArray[np.int64]:
        """By number of a column, how far back somebody looks at it; 0 where nobody does."""
        index = self._history.index
        count = len(index.columns)
        if len(self._reaches) != count:
            reaches = np.zeros(count, np.int64)
            for matchers, reach_ms in self._interests.values():
                ids = index.matching(matchers)
                ids = ids[ids < count]
                reaches[ids] = np.maximum(reaches[ids], reach_ms)
            self._reaches = reaches
        return self._reaches

    def _take(self, rows: Sequence[LogRow], now_ms: int, is_first: bool) -> None:
        """Keep what rows of the log hold."""
        gathering = Gathering(self._history.index.widths, now_ms - REMEMBER_MS)
        self._seen.update(row.id for row in rows if gathering.add(row))
        for origin, samples in gathering.samples().items():
            lag = gathering.received(origin) - samples.times
            if not is_first and (lag > LATE_MS).any():
                late = samples.times[lag > LATE_MS]
                self._came_late(origin.agent_id, int(late.min()), int(late.max()))
            for at in np.flatnonzero(samples.times >= now_ms - self._window_ms).tolist():
                self._keep(origin, int(samples.times[at]), samples.words[:, at], now_ms)
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
