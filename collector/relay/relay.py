"""The relay: takes what this hub's log holds to the centre, sealed as it came, newest first.

A cursor over the log, not a second spool. What the centre holds is a set of ranges over ``envelopes.id``; its gaps are
what waits. Two lanes: rows of now go first, up to once a second; the backlog follows newest first, in bundles of what
the line carried lately in four seconds, for its share of the line's time. A row is settled when a receipt under the
centre's key accounts for each of its numbers, or when the centre refused it for ever; nothing else counts. So after a
crash rows are sent again, and none is left out.

``step`` does at most one exchange and says when it wants to be called again; call it earlier when something was
committed. It never sleeps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

from agent.link.answer import DROP, RENEW, Answer
from agent.link.clock import Clock
from agent.link.names import BACKLOG_LANE, LIVE_LANE, Limits
from agent.link.pace import Pace
from agent.link.ranges import Range, Ranges
from agent.link.receipt import ReceiptError
from collector.log.positions import Positions
from collector.log.queries import packed_schema
from collector.relay import queries
from collector.relay.custody import Custody, News, Refusal
from collector.relay.picking import Picking
from collector.relay.queries import Enclosed, read_position, write_position
from collector.relay.recall import Recall
from collector.relay.schemas_wanted import WantedSchemas
from collector.relay.upstream import NoAnswer, Upstream
from collector.store.engine import Store

log = logging.getLogger(__name__)

GATHER_SECONDS = 1.0
IDLE_SECONDS = 60.0
MEASURE_SECONDS = 10.0

Result = Callable[[str, int], None]


class RelayFigures(NamedTuple):
    """How far behind the centre is. ``oldest_ms``: when the oldest waiting row was received, None where none waits."""

    pending: int
    oldest_ms: int | None
    answered_ms: int
    trouble: str


class Relay:
    """One thread calls ``step`` and ``release``; ``figures`` may be read from others."""

    def __init__(
        self,
        store: Store,
        custody: Custody,
        upstream: Upstream,
        clock: Clock,
        backlog_share: float = 0.25,
        limits: Limits | None = None,
        on_result: Result = lambda _result, _count: None,
    ) -> None:
        limits = limits or Limits()
        self._store = store
        self._custody = custody
        self._upstream = upstream
        self._clock = clock
        self._pace = Pace(limits.request_envelopes, backlog_share)
        self._picking = Picking(store, clock, limits.request_bytes)
        self._recall = Recall(store, custody)
        self._on_result = on_result
        self.figures = RelayFigures(0, None, 0, "")
        """As of the last ten seconds."""
        self._measure_at = 0.0
        self._settled = Ranges()
        self._durable = Ranges()
        """As last written; replaced whole, for other threads to read."""
        self._is_greeted = False
        self._live_at = 0.0
        self._wanted = WantedSchemas()

    def restore(self, positions: Positions) -> None:
        """Read back how far it was; before the first step. ``positions``: what is held, read back already."""
        with self._store.reading() as connection:
            self._settled, self._upstream.receiver = read_position(connection)
            self._durable = self._settled.copy()
            self._custody.restore(connection)
        self._recall.begin(positions.items())
        self._recall.step(self._settled)

    def release(self) -> None:
        """The registry changed: what the centre would not take may be welcome now."""
        self._picking.release()

    def release_active(self, is_active: Callable[[bytes], bool]) -> None:
        """The registry is confirmed as it was, with these agents active."""
        self._picking.release_active(is_active)

    @property
    def is_recalling(self) -> bool:
        """Whether what the centre took is not known of all rows yet."""
        return not self._recall.is_done

    def needs(self, row: int) -> bool:
        """Whether the centre was not seen to hold this row."""
        return row not in self._durable

    def gaps(self, last: int) -> list[Range]:
        """The ids up to ``last`` that it still needs."""
        return self._durable.gaps(1, last)

    def _measure(self, now: float) -> None:
        with self._store.reading() as connection:
            pending, oldest = queries.backlog(connection, self._settled)
        self.figures = RelayFigures(pending, oldest, self._upstream.answered_ms, self._upstream.trouble)
        self._measure_at = now + MEASURE_SECONDS

    # ------------------------------------------------------------ one step

    def step(self, now: float) -> float:
        """Do the most urgent thing, if any. ``now`` and the moment returned are monotonic seconds."""
        due = self._turn(now)
        if self.is_recalling:
            self._recall.step(self._settled)
            return now
        return due

    def _turn(self, now: float) -> float:
        if now >= self._measure_at:
            self._measure(now)
        if self._upstream.ready_at > now:
            return self._upstream.ready_at
        if not self._is_greeted:
            return self._post(LIVE_LANE, [])
        schema = self._wanted.due(now)
        if schema is not None:
            return self._post_schema(schema)
        if now >= self._live_at:
            bundle = self._picking.pick(LIVE_LANE, self._pace.live_records, self._settled)
            if bundle:
                self._live_at = now + (0.0 if len(bundle) >= self._pace.live_records else GATHER_SECONDS)
                return self._post(LIVE_LANE, bundle)
        if now >= self._pace.backlog_at:
            bundle = self._picking.pick(BACKLOG_LANE, self._pace.backlog_records, self._settled)
            if bundle:
                return self._post(BACKLOG_LANE, bundle)
            if self._picking.has_more:
                return now
            return min([now + IDLE_SECONDS, *(at for at in self._waits() if at > now)])
        return min(self._pace.backlog_at, max(self._live_at, now + GATHER_SECONDS))

    def _waits(self) -> list[float]:
        again = [self._measure_at] if self.figures.pending else []
        return [*again, self._live_at, *self._picking.moments, *self._wanted.moments]

    # ------------------------------------------------------------ the exchange

    def _post(self, lane: str, bundle: list[Enclosed]) -> float:
        started_at = self._clock.monotonic()
        try:
            deadline = self._pace.deadline_seconds(sum(len(row.packed) for row in bundle), self._upstream.failures)
            answer, size = self._upstream.post_envelopes(lane, [row.packed for row in bundle], deadline)
        except NoAnswer as why:
            self._picking.begin_again()
            self._pace.note_failure(len(bundle))
            if not why.status:  # a line that is down is asked with next to nothing until it answers
                self._is_greeted = False
            if lane == BACKLOG_LANE and why.status in (
                429,
                503,
            ):  # it sheds: what is of now may be welcome all the same
                self._pace.backlog_at, self._upstream.ready_at = self._upstream.ready_at, started_at
            if len(bundle) == 1 and why.status in (400, 413):
                log.warning("the centre cannot read one row of the log, others first", extra={"row": bundle[0].id})
                self._picking.put_aside(bundle[0].id)
            return self._upstream.ready_at
        seconds = self._clock.monotonic() - started_at
        limit = answer.backlog_bytes_per_second
        self._pace.note(lane, len(bundle), size, started_at, seconds, limit)
        self._is_greeted = True
        self._take(bundle, answer)
        return max(self._clock.monotonic(), self._upstream.ready_at)

    def _post_schema(self, name: bytes) -> float:
        with self._store.reading() as connection:
            packed = packed_schema(connection, name)
        now = self._clock.monotonic()
        if packed is None:  # its agent still owes it to us, too
            self._wanted.later(name, now)
            return now
        try:
            self._upstream.post_schema(packed)
        except NoAnswer:
            self._wanted.later(name, now)  # reports first: it may be this alone that nobody answers
            return self._upstream.ready_at
        self._wanted.sent(name)
        return self._clock.monotonic()

    # ------------------------------------------------------------ the answer

    def _take(self, bundle: list[Enclosed], answer: Answer) -> None:
        news = News()
        for mine in answer.agents:
            if mine.receipt:
                try:
                    word = self._custody.open(mine.receipt, bytes.fromhex(mine.agent))
                except ReceiptError as why:
                    log.error("receipt not believed: %s", why, extra={"url": self._upstream.url})
                    continue
                news.words[word.name] = word
        turned_away = {refusal.index for refusal in answer.envelopes}
        taken = [row for at, row in enumerate(bundle) if at not in turned_away and _is_covered(news, row)]
        news.taken += [(row.name, row.seqs) for row in taken]
        refused = self._refused(bundle, answer, news)
        self._wanted.ask(bytes.fromhex(text) for text in answer.need_schemas)
        self._keep([*(row.id for row in taken), *refused], news)
        self._on_result("taken", len(taken))
        self._on_result("refused", len(refused))
        held = sum(self._picking.is_held(row.name[0]) for row in bundle)
        if bundle and not taken and not refused and not held:
            self._picking.begin_again()
            self._upstream.fail(f"{self._upstream.url} answered without a receipt for what it was sent")

    def _refused(self, bundle: list[Enclosed], answer: Answer, news: News) -> list[int]:
        """Rows refused for ever. Whose may not report now is asked about again later, and nobody is told."""
        gone: list[int] = []
        for refusal in answer.envelopes:
            if not 0 <= refusal.index < len(bundle):
                continue
            row = bundle[refusal.index]
            if refusal.action in (DROP, RENEW):
                gone.append(row.id)
                if refusal.action == DROP:  # a fork's numbers are a twin's there, not taken from here
                    news.taken.append((row.name, row.seqs))
                for first, last in Ranges((seq, seq) for seq in row.seqs):
                    said = (refusal.action, refusal.code, refusal.text)
                    news.refusals.append(Refusal(row.name, first, last, *said))
                log.warning(
                    "the centre refused an envelope for ever",
                    extra={"agent": row.name[0].hex(), "code": refusal.code, "detail": refusal.text},
                )
            elif self._picking.hold(row.name[0], refusal.code):
                self._on_result("held", 1)
                log.info(
                    "the centre does not take an agent's reports now; asking again in an hour, or when the registry changes",
                    extra={"agent": row.name[0].hex(), "code": refusal.code},
                )
        return gone

    def _keep(self, ids: list[int], news: News) -> None:
        """Make durable what is settled, and what the centre said."""
        receiver = self._upstream.receiver
        assert receiver is not None
        for row in ids:
            self._settled.add(row)
        with self._store.transaction() as connection:
            _, before = read_position(connection)
            if before is not None and before != receiver:
                log.warning("another centre, or one with an empty store: everything here is sent again")
                self._settled = Ranges((row, row) for row in sorted(ids))
                self._picking.begin_again()
                self._custody.forget(connection)
            write_position(connection, self._settled, receiver)
            self._custody.keep(connection, news, self._clock.wall_ms())
        self._custody.learn(news)
        self._durable = self._settled.copy()


def _is_covered(news: News, row: Enclosed) -> bool:
    word = news.words.get(row.name)
    if word is None:
        return False
    covered = Ranges(word.receipt.ranges)
    return all(seq in covered for seq in row.seqs)
