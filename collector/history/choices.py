"""Where the series of a selector stand in strips, looked up once for as long as nothing moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.link.names import ABSENT_WORD
from collector.fleet.registry import Fleet, Registry
from collector.history.chunk import Instants, Words
from collector.history.index import UP, HostPart, Index
from collector.history.matchers import Matchers
from collector.history.reader import History, label_set
from collector.history.reading import Part, Wanted
from collector.history.records import Origin
from collector.history.source import LabelSet, LabelSets
from collector.history.strip import Strip
from collector.history.strips import Choice, Columns, Strips, where
from collector.store.scope import Scope

Asked = tuple[tuple[str, str, str], ...]


class Chosen(NamedTuple):
    """The series of hosts whose samples came in one form, and the other hosts: theirs are to be put together first."""

    choice: Choice
    mixed: list[Wanted]


def asked_by(matchers: Matchers) -> Asked:
    return tuple(one[:3] for one in matchers)


def is_its(origin: Origin, fleet: Fleet, index: Index) -> bool:
    """Whether an agent still speaks for the hosts its samples are of."""
    agent = fleet.agents.get(origin.agent_id)
    return agent is not None and index.hosts_of[origin.schema_hash] <= agent.hosts


class Choices:
    def __init__(self, registry: Registry, history: History, strips: Strips) -> None:
        self._registry = registry
        self._history = history
        self._strips = strips
        self._known: dict[tuple[Asked, Scope], Chosen | None] = {}
        self._fleet: Fleet | None = None
        self._version = -1
        self._labels: dict[str, tuple[LabelSet, dict[int, LabelSet]]] = {}
        """By host its own labels, and by column all of them: made once, for many selectors name the same."""

    def of(self, matchers: Matchers, scope: Scope) -> Chosen | None:
        """None where ``up`` is among the series: it is not made of columns."""
        fleet, version = self._registry.fleet, self._strips.version
        if fleet is not self._fleet:
            self._labels = {}
        if fleet is not self._fleet or version != self._version:
            self._known = {}
            self._fleet, self._version = fleet, version
        key = (asked_by(matchers), scope)
        if key not in self._known:
            self._known[key] = self._choose(matchers, scope)
        return self._known[key]

    def _choose(self, matchers: Matchers, scope: Scope) -> Chosen | None:
        chosen: list[Columns] = []
        labels = LabelSets()
        mixed = []
        for host in self._history.wanted(matchers, scope):
            if any(UP in part.ids for part in host.parts):
                return None
            origins = [one for one in self._strips.of_host(host.host) if self._is_here(host, one)]
            if len(origins) > 1:
                mixed.append(host)
                continue
            for origin in origins:
                (part,) = (part for part in host.parts if part.schema_hash == origin.schema_hash)
                ids = np.sort(part.ids)
                for strip in self._strips.of_host(host.host)[origin]:
                    rows, columns = where(strip, ids)
                    if len(rows):
                        chosen.append(Columns(strip, columns))
                        labels += self._named(host, ids[rows].tolist())
        return Chosen(Choice(chosen, labels), mixed)

    def _is_here(self, host: Wanted, origin: Origin) -> bool:
        index, fleet = self._history.index, self._registry.fleet
        return is_its(origin, fleet, index) and any(part.schema_hash == origin.schema_hash for part in host.parts)

    def _named(self, host: Wanted, ids: list[int]) -> list[LabelSet]:
        kept = self._labels.get(host.host)
        if kept is None:
            kept = self._labels[host.host] = (tuple(host.labels.items()), {})
        pairs, known = kept
        columns = self._history.index.columns
        for at in ids:
            if at not in known:
                known[at] = label_set(columns[at].labels, pairs)
        return [known[at] for at in ids]


class Remembered:
    """What ``History`` asks of a read, answered from memory."""

    def __init__(self, strips: Strips, fleet: Fleet, index: Index, from_ms: int, to_ms: int) -> None:
        self._strips = strips
        self._fleet = fleet
        self._index = index
        self._from_ms = from_ms
        self._to_ms = to_ms

    def of_part(self, part: HostPart) -> list[Part]:
        ids = part.ids[part.ids != UP]
        found = []
        for origin, strips in self._strips.of_host(part.host).items():
            if origin.schema_hash == part.schema_hash and is_its(origin, self._fleet, self._index):
                found.append(self._cut(strips, ids))
        return [one for one in found if len(one.times)]

    def presence(self, schemas: Iterable[bytes]) -> list[Instants]:  # noqa: ARG002 - nothing here is rolled up
        return []

    def _cut(self, strips: Sequence[Strip], ids: NDArray[np.int32]) -> Part:
        """The columns asked for, each from the strip it is in: all of them reach back far enough."""
        times = np.empty(0, np.int64)
        words: Words = np.empty((len(ids), 0), np.uint64)
        for strip in strips:
            rows, columns = where(strip, ids)
            if not len(rows) and len(ids):
                continue
            low, high = np.searchsorted(strip.times, [self._from_ms, self._to_ms]).tolist()
            if len(words.T) != high - low:
                times, words = strip.times[low:high], np.full((len(ids), high - low), ABSENT_WORD, np.uint64)
            words[rows] = strip.words[low:high, columns].T
        return Part(times, words)
