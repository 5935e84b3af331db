"""One query's way through the rows: the log's tail first, then the chunks, cut to the columns and the time asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from agent.link.names import FUTURE_LIMIT_MS
from collector.fleet.registry import Fleet
from collector.history import queries
from collector.history.chunk import Instants, Words, unpack_times, unpack_words
from collector.history.index import PRESENCE, HostPart, Index
from collector.history.records import Gathering, LogRow, Origin
from collector.history.rolled import (
    ROLLED,
    BadRollUp,
    folded,
    folded_columns,
    plainly,
    spread,
    unpack_windows,
)
from collector.history.source import TooMuch


class Wanted(NamedTuple):
    """A host and what of it is asked for: by schema, column ids and their places (``PRESENCE`` for ``up``)."""

    host: str
    labels: Mapping[str, str]
    parts: tuple[HostPart, ...]


class Part(NamedTuple):
    """Some instants of one origin, the columns asked for: ``words`` has shape (columns, T). ``folded`` as in
    ``SeriesData``, shape (5, columns, T), where some of it is windows."""

    times: Instants
    words: Words
    folded: NDArray[np.float64] | None = None

    def at(self, which: slice | NDArray[np.bool_] | NDArray[np.intp]) -> Part:
        """Some of the instants."""
        folded = None if self.folded is None else self.folded[:, :, which]
        return Part(self.times[which], self.words[:, which], folded)

    def since(self, from_ms: int) -> Part:
        return self.at(slice(int(np.searchsorted(self.times, from_ms)), None))


class Readable(Protocol):
    """Samples of hosts, wherever they were read from."""

    def of_part(self, part: HostPart) -> list[Part]:
        """What there is of a host's columns of one schema, ``up`` left aside."""
        ...

    def presence(self, schemas: Iterable[bytes]) -> list[Instants]: ...


class Reading:
    """One query's samples by schema: only the columns asked for, only the time asked for."""

    def __init__(
        self, index: Index, wanted: list[Wanted], from_ms: int, to_ms: int, max_samples: int, newest_only: bool
    ) -> None:
        self._index = index
        self._from_ms = from_ms
        self._to_ms = to_ms
        self._left = self._max = max_samples
        self._newest_only = newest_only
        self._newest: dict[Origin, int] = {}
        self._schemas_of = {one.host: [part.schema_hash for part in one.parts] for one in wanted}
        # A schema may name several hosts: read the union of their columns once, and remember where each went.
        places: dict[bytes, set[int]] = defaultdict(set)
        for one in wanted:
            for part in one.parts:
                places[part.schema_hash].update(part.places.tolist())
        self._places = {key: np.array(sorted(at - {PRESENCE}), np.intp) for key, at in places.items()}
        self._parts: dict[Origin, list[Part]] = defaultdict(list)
        self._presence: dict[bytes, list[Instants]] = defaultdict(list)
        self._joined: dict[bytes, list[Part]] | None = None

    def tail(self, connection: Connection, fleet: Fleet) -> None:
        """Read what is not chunked yet, newest first.

        Where only the newest sample matters, an agent's rows are read until none that is left can hold a newer one:
        what was received before a sample was taken cannot have been taken after it.
        """
        hosts_of: dict[bytes, list[str]] = defaultdict(list)
        for host in self._schemas_of:
            entry = fleet.hosts.get(host)
            if entry is not None and entry.agent_id is not None:
                hosts_of[entry.agent_id].append(host)
        gathering = Gathering(self._index.widths, self._from_ms, frozenset(self._places), self._to_ms)
        self._newest = gathering.newest
        for row in queries.tail(connection, hosts_of, self._from_ms - FUTURE_LIMIT_MS):
            if not self._newest_only or not self._is_settled(row, hosts_of[row.agent_id]):
                gathering.add(row)
        for origin, samples in gathering.samples().items():
            agent = fleet.agents.get(origin.agent_id)
            if agent is not None and self._index.hosts_of[origin.schema_hash] <= agent.hosts:
                words = samples.words[self._places[origin.schema_hash]]
                self._keep(origin, Part(samples.times, words))
        for origin, rolled in gathering.rolled().items():
            agent = fleet.agents.get(origin.agent_id)
            if agent is not None and self._index.hosts_of[origin.schema_hash] <= agent.hosts:
                try:
                    samples, began, counts = rolled.samples(self._index.counters[origin.schema_hash])
                except BadRollUp:
                    continue
                self._keep_presence(origin, spread(began, samples.times, counts))
                places = self._places[origin.schema_hash]
                more = folded(samples.words, self._index.widths[origin.schema_hash], places)
                self._keep(origin, Part(samples.times, samples.words[places], more))

    def _is_settled(self, row: LogRow, hosts: list[str]) -> bool:
        """Whether every host of the agent has a sample that is newer than anything in this row."""
        return all(
            any(
                self._newest.get(Origin(row.agent_id, row.epoch, schema), -1) >= row.received_at_ms
                for schema in self._schemas_of[host]
            )
            for host in hosts
        )

    def chunks(self, connection: Connection) -> None:
        for row in queries.chunks_between(connection, self._places, self._from_ms, self._to_ms):
            origin = Origin(row.agent_id, row.epoch, row.schema_hash)
            if self._newest_only and self._newest.get(origin, -1) >= row.to_ms:
                continue
            times, places = unpack_times(row.instants, row.times), self._places[row.schema_hash]
            if not row.flags & ROLLED:
                self._keep(origin, Part(times, unpack_words(row.instants, row.data, places)))
                continue
            self._keep_presence(origin, spread(*unpack_windows(row.instants, row.times)))
            columns = folded_columns(self._index.widths[row.schema_hash], places)
            words = unpack_words(row.instants, row.data, columns)
            own = np.arange(len(places))
            self._keep(origin, Part(times, words[: len(places)], folded(words, len(places), own)))

    def presence(self, schemas: Iterable[bytes]) -> list[Instants]:
        """Further instants at which samples of these schemas were taken that are now in roll-ups."""
        return [times for schema in schemas for times in self._presence.get(schema, ())]

    def of_part(self, part: HostPart) -> list[Part]:
        rows = np.searchsorted(self._places[part.schema_hash], part.places[part.places != PRESENCE])
        return [
            Part(one.times, one.words[rows], None if one.folded is None else one.folded[:, rows])
            for one in self._of_schema(part.schema_hash)
        ]

    def _of_schema(self, schema_hash: bytes) -> list[Part]:
        """What was read of a schema, one part for each origin, in order of time."""
        if self._joined is None:
            self._joined = defaultdict(list)
            for origin, parts in self._parts.items():
                self._joined[origin.schema_hash].append(_one(parts))
        return self._joined.get(schema_hash, [])

    def _keep_presence(self, origin: Origin, times: Instants) -> None:
        inside = times[(times >= self._from_ms) & (times < self._to_ms)]
        if len(inside):
            self._presence[origin.schema_hash].append(inside)

    def _keep(self, origin: Origin, part: Part) -> None:
        inside = (part.times >= self._from_ms) & (part.times < self._to_ms)
        if not inside.all():
            part = part.at(inside)
        self._left -= len(part.times) * max(1, len(part.words))
        if self._left < 0:
            raise TooMuch(
                f"query processing would load too many samples into memory: more than {self._max:,}; "
                "ask for fewer series or a shorter time"
            )
        self._parts[origin].append(part)


def newest_before(
    connection: Connection, agents: Mapping[bytes, frozenset[bytes]], widths: dict[bytes, int], at_ms: int
) -> dict[bytes, int]:
    """By schema, the newest sample before an instant among what is not chunked yet: of each agent's newest row that has
    one. ``agents``: with the schemas that are asked for."""
    found: dict[bytes, int] = {}
    done: set[bytes] = set()
    for row in queries.tail(connection, agents, 0):
        if row.agent_id in done:
            continue
        gathering = Gathering(widths, 0, agents[row.agent_id], at_ms)
        gathering.add(row)
        for origin, newest_ms in gathering.newest.items():
            found[origin.schema_hash] = max(newest_ms, found.get(origin.schema_hash, 0))
            done.add(row.agent_id)
    return found


def _one(parts: list[Part]) -> Part:
    """Parts of one origin joined. A number has one time for ever, so one sample for each time is each number once."""
    more = None
    if any(part.folded is not None for part in parts):
        more = np.concatenate([plainly(one.words) if one.folded is None else one.folded for one in parts], axis=2)
    joined = Part(
        np.concatenate([part.times for part in parts]), np.concatenate([part.words for part in parts], axis=1), more
    )
    if len(joined.times) > 1 and not (joined.times[1:] > joined.times[:-1]).all():
        return joined.at(np.unique(joined.times, return_index=True)[1])
    return joined
