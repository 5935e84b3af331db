"""One destination's step: take up rows it does not have, send a piece, judge the answer.

One request a step. While nothing answers, the batch is kept and its next piece tried again with back-off; after a few
failures it is put down, so that what came meanwhile goes first when the destination is back.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from agent.link.backoff import backoff_seconds
from agent.link.clock import Chance, Clock
from agent.link.exchange import Exchange, Failure
from agent.link.ranges import Ranges
from collector.exposition.remote_write.gather import Gatherer
from collector.exposition.remote_write.labels import shown
from collector.exposition.remote_write.lately import Lately
from collector.exposition.remote_write.position import SETTLE_SECONDS, Position
from collector.exposition.remote_write.queries import (
    load_done,
    newest_id,
    oldest,
    received_at_ms,
    rows_between,
    save_done,
)
from collector.exposition.remote_write.reply import Doubtful, Later, Refused, Taken, judge
from collector.exposition.remote_write.request import write_request
from collector.exposition.remote_write.sending import Sending
from collector.fleet.registry import Registry
from collector.history.reader import History
from collector.history.records import LogRow
from collector.settings_remote_write import Destination
from collector.store.engine import Store

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
SAVE_SECONDS = 2.0
PUT_DOWN_AFTER = 3
"""Failures in a row after which a batch is no longer kept."""
MOST_ROWS = 400
READ_BYTES = 128 << 10
"""Packed rows of one batch: some ten thousand samples, a few megabytes of arrays."""


@dataclass
class Progress:
    """What a destination's metrics show."""

    pending: int = 0
    oldest_received_ms: int | None = None
    last_success_ms: int | None = None


class Report(Protocol):
    """Where what became of samples and of reports is counted."""

    def samples(self, destination: str, result: str, count: int) -> None: ...
    def reports(self, destination: str, reason: str, count: int) -> None: ...


class Forwarder:
    def __init__(
        self,
        to: Destination,
        store: Store,
        registry: Registry,
        history: History,
        exchange: Exchange,
        clock: Clock,
        chance: Chance,
        report: Report,
    ) -> None:
        self.to = to
        self.progress = Progress()
        self._store = store
        self._registry = registry
        self._history = history
        self._exchange = exchange
        self._clock = clock
        self._chance = chance
        self._report = report
        self._gatherer = Gatherer(history.index, to.mode == "all", history.raw_ms)
        self._position: Position | None = None
        self._saved_at = 0.0
        self._kept = Ranges()
        """``done`` as it was saved last; replaced, never changed, because others read it."""
        self._sending: Sending | None = None
        self._ids: list[int] = []
        """Rows of the batch on its way."""
        self._lately = Lately()
        self._failures = 0
        self._rows = MOST_ROWS

    def needs(self, row_id: int) -> bool:
        """Whether the log must keep a row for this destination; any thread may ask."""
        return row_id not in self._kept

    def step(self, now: float) -> float:
        """Send one piece; when to go on, ``now`` being seconds of the monotonic clock."""
        position = self._load()
        self._look(position, now)
        wait = 0.0
        if self._sending is None and not self._take_up(position):
            wait = IDLE_SECONDS
        if self._sending is not None:
            wait = self._send(self._sending, position, now)
        if self._sending is not None and self._sending.next is None:
            self._put_done(self._sending, position, now)
        self._look(position, now)
        if now - self._saved_at >= SAVE_SECONDS:
            self.save(now)
        return now + wait

    def save(self, now: float) -> None:
        """Make the position durable, where it moved."""
        if self._position is None or not self._position.is_changed:
            return
        done = self._position.done.copy()
        with self._store.transaction() as connection:
            save_done(connection, self.to.name, done, self._clock.wall_ms())
        self._position.is_changed = False
        self._saved_at, self._kept = now, done

    def _load(self) -> Position:
        if self._position is None:
            with self._store.reading() as connection:
                position = Position(load_done(connection, self.to.name))
                first = oldest(connection)
            if first is not None and self._clock.wall_ms() - first[1] > SETTLE_SECONDS * 1000:
                position.begin_at(first[0])
            self._position = position
            self._kept = self._position.done.copy()
        return self._position

    def _take_up(self, position: Position) -> bool:
        """Read the next rows and make a batch of them; whether there were any. Rows with nothing to send are done."""
        rows = self._next_rows(position)
        if not rows:
            return False
        self._history.refresh()
        gathered = self._gatherer.gather(rows, self._registry.fleet, self._clock.wall_ms())
        for reason, count in gathered.left_out.items():
            self._report.reports(self.to.name, reason, count)
        position.wait({row.id for row in rows}.difference(gathered.taken))
        if len(gathered.batch):
            pieces = list(gathered.batch.pieces(self.to.batch_samples, self.to.batch_bytes))
            ordered = pieces if self.to.is_ordered else pieces[::-1]
            self._sending, self._ids = Sending(gathered.batch, ordered), gathered.taken
        else:
            position.finish(gathered.taken)
        return True

    def _next_rows(self, position: Position) -> list[LogRow]:
        newest_first = not self.to.is_ordered
        rows: list[LogRow] = []
        with self._store.reading() as connection:
            for first, last in position.pending(newest_first):
                found = rows_between(connection, first, last, newest_first, self._rows - len(rows), READ_BYTES)
                rows += found.rows
                position.wait(found.parked)
                position.missing(*found.looked, [*(row.id for row in found.rows), *found.parked])
                if len(rows) >= self._rows or found.looked != (first, last):
                    break
        return rows

    def _send(self, sending: Sending, position: Position, now: float) -> float:
        """Send the next piece and note what came of it; how long to wait."""
        piece = sending.next
        assert piece is not None
        request = write_request(self.to, sending.batch.encoded(piece))
        answer = request if isinstance(request, Failure) else self._exchange(request)
        if isinstance(answer, Failure) and not isinstance(request, Failure):
            self._look_back(position, now)
        verdict = judge(answer)
        match verdict:
            case Taken():
                sending.taken()
                self.progress.last_success_ms = self._clock.wall_ms()
            case Refused(reason):
                sending.refused(reason, self._window_begins_ms())
            case Doubtful(text):
                return 0.0 if sending.doubted() else self._failed(text, 0.0)
            case Later(text, retry_after_seconds):
                return self._failed(text, retry_after_seconds)
        if self._failures:
            log.info("remote write goes on", extra={"destination": self.to.name, "failures": self._failures})
        self._failures = 0
        self._rows = min(MOST_ROWS, 2 * self._rows)
        return 0.0

    def _look_back(self, position: Position, now: float) -> None:
        """It may have ended, and with it what it took last. Without a window for what is late it would refuse all that."""
        if self.to.is_ordered and not self.to.horizon_seconds:
            return
        ids = self._lately.take_back(now)
        if self._sending is not None and self._sending.has_sent and self._lately.may_begin_again(self._ids):
            self._sending, self._ids = None, []  # its first pieces were taken a moment ago too
        if ids:
            position.take_back(ids)
            fields = {"destination": self.to.name, "envelopes": len(ids)}
            log.info("nothing answers; what was taken last is sent once more", extra=fields)

    def _window_begins_ms(self) -> int | None:
        return self._clock.wall_ms() - self.to.horizon_seconds * 1000 if self.to.is_ordered else None

    def _failed(self, text: str, retry_after_seconds: float) -> float:
        self._failures += 1
        wait = max(retry_after_seconds, backoff_seconds(self._failures, self._chance))
        if self._failures in (1, 10) or self._failures % 100 == 0:
            log.warning(
                "remote write failed; it is tried again",
                extra={"destination": self.to.name, "why": text, "failures": self._failures, "retry_seconds": wait},
            )
        if self._failures >= PUT_DOWN_AFTER:
            self._sending, self._ids = None, []
            self._rows = max(1, self._rows // 4)
        return wait

    def _put_done(self, sending: Sending, position: Position, now: float) -> None:
        """The batch is over: its rows are done, and what was dropped is said once."""
        position.finish(self._ids)
        self._lately.took(self._ids, now)
        self._sending, self._ids = None, []
        for result, count in sending.results.items():
            self._report.samples(self.to.name, result, count)
        dropped = Counter(sending.results)
        del dropped["sent"]
        for reason, count in dropped.items():
            at = sending.examples[reason]
            log.warning(
                "destination will never take some samples; they were dropped",
                extra={
                    "destination": self.to.name,
                    "reason": reason,
                    "samples": count,
                    "first": shown(sending.batch.series[int(sending.batch.numbers[at])]),
                    "at_ms": int(sending.batch.times[at]),
                },
            )

    def _look(self, position: Position, now: float) -> None:
        """What the metrics show."""
        self.progress.oldest_received_ms = None
        with self._store.reading() as connection:
            position.look(newest_id(connection), now)
            self.progress.pending = position.count
            for first, last in position.pending(newest_first=False)[:100]:
                at_ms = received_at_ms(connection, first, last)
                if at_ms is not None:
                    self.progress.oldest_received_ms = at_ms
                    return
