"""History with a real intake in front of it: reports go in by the wire, queries come out as people ask them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from centre import NOW_MS, Centre
from sender import Sender, request
from sqlalchemy import delete, func, insert, select

from agent.link.model import Schema
from collector.history.job import ChunkJob
from collector.history.query import Query
from collector.history.reader import History
from collector.history.retention import RetentionJob
from collector.history.tables import chunks
from collector.log.tables import checkpoint, envelopes
from collector.store.engine import Store
from collector.store.scope import EVERYTHING, Scope
from collector.telemetry import Telemetry

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass
class Archive:
    store: Store
    centre: Centre = field(init=False)

    def __post_init__(self) -> None:
        self.centre = Centre(self.store)
        self.centre.plant()
        self.centre.start()
        self.telemetry = Telemetry("test")
        self.restart()

    def restart(self) -> None:
        """A new process' view of the same rows."""
        self.history = History(self.store, self.centre.registry, raw_days=15)
        self.job = ChunkJob(self.store, self.centre.registry, self.history, self.telemetry)

    def send(
        self,
        sender: Sender,
        schema: Schema,
        rows: Sequence[tuple[int, Sequence[float | None]]],
        received_ms: int | None = None,
        offset_ms: int = 0,
        at_once: bool = False,
    ) -> None:
        """Reports of ``(taken_at_ms, values)``; each in its own envelope, or all in one."""
        samples = [sender.sample(schema, list(values), at_ms, offset_ms) for at_ms, values in rows]
        groups = [samples] if at_once else [[sample] for sample in samples]
        self.post(sender, schema, groups, received_ms if received_ms is not None else max(at for at, _ in rows))

    def post(self, sender: Sender, schema: Schema, groups: Sequence[Sequence[object]], received_ms: int) -> None:
        self.centre.clock.now_ms = received_ms
        packed = [sender.envelope(group, [schema.packed]) for group in groups]  # type: ignore[arg-type]
        answer = self.centre.answer(request(*packed))
        assert not answer.envelopes, answer

    def chunk(self, at_ms: int) -> None:
        """Steps of the job until it has nothing more to do soon."""
        due: datetime | None = datetime.fromtimestamp(at_ms / 1000, UTC)
        while due is not None:
            due = self.job.step(due)

    def checkpoint(self) -> None:
        """As the writer does once a minute."""
        with self.store.transaction() as connection:
            connection.execute(delete(checkpoint))
            last = connection.execute(select(func.max(envelopes.c.id))).scalar_one()
            connection.execute(insert(checkpoint), {"id": 1, "envelope_id": last, "loss_id": 0})

    def retain(self, at_ms: int, keep_hours: int = 1) -> None:
        RetentionJob(self.store, 15, keep_hours).step(datetime.fromtimestamp(at_ms / 1000, UTC))

    def points(
        self, text: str, start_ms: int, end_ms: int, step_ms: int = 15_000, scope: Scope = EVERYTHING
    ) -> dict[str, list[tuple[int, float]]]:
        """A range query's answer by ``instance``, or by all labels where several series have the same."""
        found = Query([self.history], scope).points(text, start_ms, end_ms, step_ms)
        return {dict(one.labels)["instance"]: list(zip(one.times, one.values, strict=True)) for one in found}

    def samples(
        self, text: str, at_ms: int, scope: Scope = EVERYTHING
    ) -> list[tuple[dict[str, str], list[list[object]]]]:
        """An instant query's matrix, ``x[5m]``."""
        answer = Query([self.history], scope).instant(text, at_ms)
        return [(one["metric"], [list(pair) for pair in one["values"]]) for one in answer["result"]]

    def count(self, what: str) -> int:
        with self.store.reading() as connection:
            if what == "chunks":
                return connection.execute(select(func.count()).select_from(chunks)).scalar_one()
            if what == "chunked samples":
                return connection.execute(select(func.coalesce(func.sum(chunks.c.count), 0))).scalar_one()
            wanted = select(func.count()).select_from(envelopes)
            return connection.execute(
                wanted if what == "envelopes" else wanted.where(~envelopes.c.is_chunked)
            ).scalar_one()


__all__ = ["DAY", "HOUR", "MINUTE", "NOW_MS", "Archive"]
