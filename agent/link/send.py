"""The sender: takes records from the spool to a collector, newest first, and lets the spool forget on receipts.

Two lanes. What is younger than three intervals goes first and at once. The backlog follows, newest first, in envelopes
sized to what the line carried lately, only while nothing live waits, and only for its share of the time the line is
busy. ``step`` does at most one exchange and says when it wants to be called again; it never sleeps.

Whatever is not an answer of a collector (another status, another content type, damaged JSON: captive portals, proxies)
is tried again for ever. Only a recognised answer can refuse a record. A refusal of an envelope with several records
is put to each of them singly before any is given up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from agent.link.answer import (
    DROP,
    HOLD,
    RENEW,
    AgentAnswer,
    Answer,
    AnswerError,
    EnvelopeRefusal,
    RecordRefusal,
    read_answer,
)
from agent.link.clock import Chance, Clock
from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.model import schema_hash
from agent.link.names import ANSWER_TYPE, STALE_INTERVALS
from agent.link.offset import Offset
from agent.link.pace import Pace
from agent.link.profile import LinkProfile
from agent.link.ranges import Ranges
from agent.link.receipt import ReceiptError, open_receipt
from agent.link.send_collector import HOLD_SECONDS, CollectorLink, choose, missed
from agent.link.send_lanes import Lanes
from agent.link.send_request import (
    SCHEMAS_PATH,
    Enclosed,
    Signer,
    envelopes_request,
    pack_enclosed,
    schemas_request,
)
from agent.link.spool import Spool

GREETING_SECONDS = 5.0
REQUEST_SECONDS = 120.0
LONGEST_RETRY_AFTER = 600.0
IDLE_SECONDS = 3600.0
SCHEMAS_REMEMBERED = 2_000
SCHEMAS_DONE = (200, 204, 404, 422)
"""Taken, no longer asked for, or not usable there: none of them is a reason to trouble the collector again."""


class SenderFigures(NamedTuple):
    """For the status file and the agent's own series."""

    collector: str
    role: str
    last_answer_ms: int
    trouble: str
    hold: str
    records_sent: int
    bytes_sent: int
    forks: int


class Sender:
    """One thread calls ``step``; ``figures`` may be read from another."""

    def __init__(
        self,
        spool: Spool,
        signer: Signer,
        centre_key: bytes,
        urls: list[str],
        exchange: Exchange,
        clock: Clock,
        chance: Chance,
        offset: Offset,
        profile: LinkProfile,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.records_sent = 0
        self.collectors = [CollectorLink(url.rstrip("/")) for url in urls]
        self._spool = spool
        self._signer = signer
        self._centre_key = centre_key
        self._exchange = exchange
        self._clock = clock
        self._chance = chance
        self._offset = offset
        self._log = log
        self._pace = Pace(profile.backlog_records, profile.backlog_share)
        self._lanes = Lanes(spool, self._pace, STALE_INTERVALS * profile.interval_seconds)
        self._bytes_sent = 0
        self._forks = 0

    # ------------------------------------------------------------ one step

    def step(self, now: float) -> float:
        """Do the most urgent thing, if any. ``now`` and the moment returned are monotonic seconds."""
        collector = choose(self.collectors)
        if collector.ready_at > now:
            return collector.ready_at
        if not collector.is_greeted:
            self._post(collector, [], GREETING_SECONDS)
            return self._clock.monotonic()
        if collector.wanted_schemas:
            self._post_schemas(collector)
            return self._clock.monotonic()
        enclosed = self._lanes.live(collector, now)
        if enclosed:
            self._post(collector, enclosed, REQUEST_SECONDS)
            return self._clock.monotonic()
        better = missed(self.collectors, collector, now)
        if better is not None:
            self._post(better, [], GREETING_SECONDS)
            return self._clock.monotonic()
        if now < self._pace.backlog_at:
            return self._pace.backlog_at
        enclosed = self._lanes.backlog(collector)
        if enclosed:
            self._post(collector, enclosed, REQUEST_SECONDS, is_backlog=True)
            return self._clock.monotonic()
        better_ones = self.collectors[: self.collectors.index(collector)]
        return min([now + IDLE_SECONDS, *(one.ready_at for one in better_ones)])

    # ------------------------------------------------------------ the exchange

    def _post(
        self, collector: CollectorLink, enclosed: list[Enclosed], deadline: float, *, is_backlog: bool = False
    ) -> None:
        envelopes = [pack_enclosed(self._signer, one) for one in enclosed]
        request = envelopes_request(collector.url, envelopes, self._clock.wall_ms(), deadline)
        started_at = self._clock.monotonic()
        answer = self._ask(collector, request)
        seconds = self._clock.monotonic() - started_at
        count = sum(len(one.records) for one in enclosed)
        if answer is None:
            self._pace.note_failure(count)
            return
        self._pace.note(count, len(request.body), started_at, seconds, is_backlog, answer.backlog_bytes_per_second)
        self._bytes_sent += len(request.body)
        if enclosed:
            self.records_sent += count
            self._take(collector, enclosed, answer)

    def _post_schemas(self, collector: CollectorLink) -> None:
        """One at a time: a request may hold a mebibyte, and one that is no longer asked for fails all beside it."""
        wanted = collector.wanted_schemas.pop(0)
        with self._spool.lock:
            found = [packed for shelf in self._spool.shelves() if (packed := shelf.schema(wanted)) is not None]
        if found:
            self._ask(collector, schemas_request(collector.url, found[:1], self._clock.wall_ms(), REQUEST_SECONDS))

    def _ask(self, collector: CollectorLink, request: Request) -> Answer | None:
        """The answer of a collector, its clock, its wishes and who it is taken in; None where there was none."""
        started_at = self._clock.monotonic()
        response = self._exchange(request)
        now = self._clock.monotonic()
        answer = _read(response)
        if not isinstance(answer, Answer):
            wait = response.retry_after_seconds if isinstance(response, Response) else 0.0
            if request.path == SCHEMAS_PATH and isinstance(response, Response) and response.status in SCHEMAS_DONE:
                return None
            if not collector.last_trouble:
                self._log(f"no answer from collector: {answer}")
            collector.fail(now, self._chance, answer, min(wait, LONGEST_RETRY_AFTER))
            return None
        if collector.last_trouble:
            self._log(f"collector answers again: {collector.url}")
        collector.meet(answer.receiver)
        collector.last_answer_ms = self._clock.wall_ms()
        collector.ready_at = now + min(max(0.0, answer.retry_after_seconds), LONGEST_RETRY_AFTER)
        self._offset.measure(answer.now_ms, started_at, now)
        asked = [bytes.fromhex(text) for text in answer.need_schemas]
        collector.wanted_schemas += [wanted for wanted in asked if wanted not in collector.wanted_schemas]
        return answer

    # ------------------------------------------------------------ the answer

    def _take(self, collector: CollectorLink, enclosed: list[Enclosed], answer: Answer) -> None:
        settled_any = False
        spent: set[bytes] = set()
        for refusal in answer.envelopes:
            if 0 <= refusal.index < len(enclosed):
                one = enclosed[refusal.index]
                self._refused(collector, one.epoch, Ranges((n, n) for n in one.seqs), refusal, spent)
                settled_any = True
        for mine in answer.agents:
            if bytes.fromhex(mine.agent) == self._signer.agent_id:
                settled_any |= self._take_own(collector, mine, spent)
        for epoch in spent:
            self._renew(collector, epoch)
        if len(collector.known_schemas) > SCHEMAS_REMEMBERED:
            collector.known_schemas.clear()  # sending one again costs less than remembering all
        for one in enclosed:
            collector.known_schemas.update((one.epoch, schema_hash(schema)) for schema in one.schemas)
        is_short = any(
            one.epoch not in spent
            and seq not in collector.holds(one.epoch)
            and not self._lanes.is_set_aside(one.epoch, seq)
            for one in enclosed
            for seq in one.seqs
        )
        if is_short and not settled_any:
            text = f"{collector.url} answered without taking or refusing the records"
            collector.fail(self._clock.monotonic(), self._chance, text)

    def _take_own(self, collector: CollectorLink, mine: AgentAnswer, spent: set[bytes]) -> bool:
        epoch = bytes.fromhex(mine.epoch)
        for refusal in mine.refused:
            self._refused(collector, epoch, Ranges(refusal.seqs), refusal, spent)
        if epoch in spent:  # it may hold a twin's records under these names: believe nothing of it
            return True
        collector.note_held(epoch, mine.held)
        if mine.receipt:
            try:
                receipt = open_receipt(mine.receipt, self._centre_key, self._signer.agent_id)
            except ReceiptError as why:
                collector.last_trouble = str(why)
                self._log(f"receipt not believed: {why}")
            else:
                self._spool.settle(receipt.epoch, receipt.ranges)
        return bool(mine.refused)

    def _refused(
        self,
        collector: CollectorLink,
        epoch: bytes,
        seqs: Ranges,
        refusal: EnvelopeRefusal | RecordRefusal,
        spent: set[bytes],
    ) -> None:
        action, code = refusal.action, refusal.code
        if action == RENEW:
            spent.add(epoch)
        elif action == DROP and isinstance(refusal, EnvelopeRefusal) and not self._lanes.is_certain(epoch, seqs):
            self._lanes.suspect(epoch, seqs)
        elif action == DROP:
            self._log(f"records refused for ever: {code} {seqs.as_lists()}")
            self._spool.refuse(epoch, seqs, code)
            self._lanes.rest(epoch, seqs, self._clock.monotonic() + HOLD_SECONDS)
        else:  # HOLD, and any action of a later version, loses nothing
            collector.hold(self._clock.monotonic(), code or HOLD)
            self._log(f"collector asks us to hold: {code}; asking again in an hour")

    def _renew(self, collector: CollectorLink, epoch: bytes) -> None:
        self._forks += 1
        if self._spool.renew(epoch):
            self._log("the collector holds other records under our names (copied or rolled back?): new epoch begun")
            for each in self.collectors:
                each.held.pop(epoch, None)
                each.sent.pop(epoch, None)
        else:
            collector.hold(self._clock.monotonic(), "no room for a new epoch")

    def figures(self) -> SenderFigures:
        used = choose(self.collectors)
        role = used.receiver.role if used.receiver is not None else ""
        return SenderFigures(
            used.url,
            role,
            used.last_answer_ms,
            used.last_trouble,
            used.hold_code,
            self.records_sent,
            self._bytes_sent,
            self._forks,
        )


def _read(response: Response | Failure) -> Answer | str:
    """The answer, or in words why this is none."""
    if isinstance(response, Failure):
        return response.text
    if response.status != 200 or response.content_type != ANSWER_TYPE:
        return f"HTTP {response.status} {response.content_type or 'without a content type'}: expected 200 {ANSWER_TYPE}"
    try:
        return read_answer(response.body)
    except AnswerError as why:
        return str(why)
