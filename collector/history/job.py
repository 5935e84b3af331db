"""The chunk job: takes from the log what is a few minutes old and writes it as chunks.

Reading and packing happen outside the transaction; writing the chunks and marking the log's rows are one transaction,
so a crash at any point leaves each sample either in the log's tail or in a chunk, never in both, never in neither.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection

from collector.fleet.registry import Fleet, Registry
from collector.history.chunk import MAX_COUNT, Packed, Samples, pack, split
from collector.history.index import Index
from collector.history.queries import Backlog, add_chunks, backlog, mark_chunked, waiting
from collector.history.reader import History
from collector.history.records import Gathering, LogRow, Origin, without_repeats
from collector.history.rolled import ROLLED, BadRollUp, RolledRows, pack_rolled
from collector.history.tally import Tally, tally
from collector.store.engine import Store
from collector.telemetry import Telemetry

log = logging.getLogger(__name__)

WAIT_MS = 15 * 60_000
"""How long a row may wait in the tail: longer makes larger, cheaper chunks, shorter makes a query's tail shorter."""
AGENTS_AT_ONCE = 5
"""Agents whose chunks are written by one transaction: few enough that the intake never waits long for its turn."""
AGENTS_PER_STEP = 20
PAUSE_SECONDS = 1
"""Agents that started together are due together: they are taken a few a second, so that nobody waits for us."""

Work = tuple[list[dict[str, Any]], list[int], Counter[str], list[Tally]]
"""Rows of chunks, ids of the log's rows they came from, what became of the samples, and how many fell into each hour."""
Count = Callable[[Connection, list[Tally]], None]
"""Takes down what became history, in the transaction that makes it history."""


class _Overtaken(Exception):
    """Somebody else marked the same rows first; undoes the transaction."""


class ChunkJob:
    def __init__(
        self,
        store: Store,
        registry: Registry,
        history: History,
        telemetry: Telemetry,
        count: Count = lambda _connection, _tallies: None,
    ) -> None:
        self._count = count
        self._store = store
        self._registry = registry
        self._history = history
        self._telemetry = telemetry

    def step(self, now: datetime) -> datetime | None:
        """Chunk some agents that have enough rows, or old ones; soon again where more is to be done."""
        now_ms = round(now.timestamp() * 1000)
        self._history.refresh()
        due = self._due(now_ms)
        taken = 0
        for start in range(0, min(len(due), AGENTS_PER_STEP), AGENTS_AT_ONCE):
            taken += self._chunk(due[start : min(start + AGENTS_AT_ONCE, AGENTS_PER_STEP)], now_ms)
        has_more = len(due) > AGENTS_PER_STEP or any(agent.rows > MAX_COUNT for agent in due)
        return now + timedelta(seconds=PAUSE_SECONDS) if taken and has_more else None

    def _due(self, now_ms: int) -> list[Backlog]:
        with self._store.reading() as connection:
            found = backlog(connection)
        due = [one for one in found if one.rows >= MAX_COUNT or one.oldest_received_ms <= now_ms - WAIT_MS]
        return sorted(due, key=lambda one: one.oldest_received_ms)

    def _chunk(self, agents: list[Backlog], now_ms: int) -> int:
        """Chunk up to ``MAX_COUNT`` rows of each of these agents; how many rows were taken."""
        chunk_rows: list[dict[str, Any]] = []
        ids: list[int] = []
        results: Counter[str] = Counter()
        tallies: list[Tally] = []
        for agent in agents:
            with self._store.reading() as connection:
                rows = waiting(connection, agent.agent_id, MAX_COUNT)
            made, taken, became, counted = self._make(rows, now_ms)
            tallies += counted
            chunk_rows += made
            ids += taken
            results += became
        if not ids:
            return 0
        try:
            with self._store.transaction() as connection:
                if not mark_chunked(connection, ids):
                    raise _Overtaken
                add_chunks(connection, chunk_rows)
                self._count(connection, tallies)
        except _Overtaken:
            log.info("another collector chunked the same rows; its chunks stand", extra={"rows": len(ids)})
            return 0
        for result, count in results.items():
            self._telemetry.history_records(result, count)
        return len(ids)

    def _make(self, rows: list[LogRow], now_ms: int) -> Work:
        index = self._history.index
        gathering = Gathering(index.widths, now_ms - self._history.raw_ms)
        taken = [row.id for row in rows if gathering.add(row)]
        results = Counter(gathering.dropped)
        made: list[dict[str, Any]] = []
        counted: list[Tally] = []
        for origin, samples in gathering.samples().items():
            if not _is_bound(self._registry.fleet, origin, index.hosts_of[origin.schema_hash]):
                results["unbound"] += len(samples.times)
                continue
            results["stored"] += len(samples.times)
            made += _rows(origin, index.first_host[origin.schema_hash], without_repeats(samples))
            counted += tally(origin, index, samples, gathering.received(origin))
        for origin, rolled in gathering.rolled().items():
            if not _is_bound(self._registry.fleet, origin, index.hosts_of[origin.schema_hash]):
                results["unbound"] += len(rolled)
                continue
            try:
                made += _rolled_rows(origin, index.first_host[origin.schema_hash], rolled, index)
                results["stored"] += len(rolled)
            except BadRollUp:  # its columns are not its schema's kinds; intake cannot tell
                results["malformed"] += len(rolled)
        return made, taken, results, counted


def _is_bound(fleet: Fleet, origin: Origin, hosts: frozenset[str]) -> bool:
    """Whether the agent may speak for every host of the schema: a schema's hash is no secret, so any agent could use it."""
    agent = fleet.agents.get(origin.agent_id)
    return agent is not None and hosts <= agent.hosts


def _rows(origin: Origin, host: str, samples: Samples) -> Iterator[dict[str, Any]]:
    for piece in split(samples):
        yield _row(origin, host, int(piece.times[0]), piece, pack(piece), 0)


def _rolled_rows(origin: Origin, host: str, rolled: RolledRows, index: Index) -> Iterator[dict[str, Any]]:
    """Chunks of roll-ups; a chunk reaches from the begin of its first window to the end of its last."""
    samples, began, counts = rolled.samples(index.counters[origin.schema_hash])
    for piece in split(samples):
        at = np.searchsorted(samples.seqs, piece.seqs)
        yield _row(origin, host, int(began[at].min()), piece, pack_rolled(piece, began[at], counts[at]), ROLLED)


def _row(origin: Origin, host: str, from_ms: int, piece: Samples, packed: Packed, flags: int) -> dict[str, Any]:
    return {
        "agent_id": origin.agent_id,
        "epoch": origin.epoch,
        "schema_hash": origin.schema_hash,
        "host": host,
        "from_ms": from_ms,
        "to_ms": int(piece.times[-1]) + 1,
        "count": len(piece.times),
        "flags": flags,
        "times": packed.times,
        "seqs": packed.seqs,
        "data": packed.data,
    }
