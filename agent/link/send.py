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
from typing import NamedTuple, Protocol

from agent.link.answer import Answer, AnswerError, read_answer
from agent.link.backoff import backoff_seconds
from agent.link.clock import Chance, Clock
from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.names import ANSWER_TYPE, BACKLOG_LANE, LIVE_LANE, STALE_INTERVALS
from agent.link.offset import Offset
from agent.link.pace import Pace
from agent.link.profile import LinkProfile
from agent.link.send_collector import HOLD_SECONDS, CollectorLink, choose, missed
from agent.link.send_lanes import Lanes
from agent.link.send_request import SCHEMAS_PATH, Enclosed, envelopes_request, pack_enclosed, schemas_request
from agent.link.send_signers import Signer, Signers
from agent.link.send_taking import Taking
from agent.link.spool import Spool

GREETING_SECONDS = 5.0
SCHEMA_SECONDS = 120.0
LONGEST_RETRY_AFTER = 600.0
IDLE_SECONDS = 3600.0
BUSY = (429, 503)
"""Of a receiver that sheds load; which lane it has no room for, the request said."""
SCHEMAS_WANTED = 1_000
"""At a time, of one collector: an agent has one for each host, and a collector that asks for more asks again."""
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
    refused: int


class Errand(Protocol):
    """Something else to ask a collector over the same connection, when nothing live waits (the policy)."""

    def is_due(self, collector: CollectorLink, now: float) -> bool: ...

    def run(self, collector: CollectorLink, now: float) -> None: ...


class Sender:
    """One thread calls ``step``; ``figures`` may be read from another."""

    def __init__(
        self,
        spool: Spool,
        signer: Signer | Signers,
        centre_key: bytes,
        urls: list[str],
        exchange: Exchange,
        clock: Clock,
        chance: Chance,
        offset: Offset,
        profile: LinkProfile,
        log: Callable[[str], None] = lambda _: None,
        errand: Errand | None = None,
    ) -> None:
        self.records_sent = 0
        self.collectors = [CollectorLink(url.rstrip("/"), is_last=url == urls[-1]) for url in urls]
        self._spool = spool
        self._signers = Signers([signer]) if isinstance(signer, Signer) else signer
        self._errand = errand
        self._exchange = exchange
        self._clock = clock
        self._chance = chance
        self._offset = offset
        self._log = log
        self._pace = Pace(profile.backlog_records, profile.backlog_share)
        self._lanes = Lanes(spool, self._pace, STALE_INTERVALS * profile.interval_seconds)
        self._taking = Taking(spool, self._lanes, self._signers, centre_key, clock, chance, log)
        self._second_opinion_at = 0.0
        self._bytes_sent = 0

    def hurry(self) -> None:
        """The process ends. What is live goes at once anyway, and the backlog waits in the spool."""

    def follow(self, profile: LinkProfile) -> None:
        """Another link profile is in force from the next step on."""
        self._pace.follow(profile.backlog_records, profile.backlog_share)
        self._lanes.follow(STALE_INTERVALS * profile.interval_seconds)

    # ------------------------------------------------------------ one step

    def step(self, now: float) -> float:
        """Do the most urgent thing, if any. ``now`` and the moment returned are monotonic seconds."""
        collector = choose(self.collectors)
        if collector.ready_at > now:
            return collector.ready_at
        if not collector.is_greeted:
            self._post(collector, LIVE_LANE, [])
            return self._clock.monotonic()
        if collector.wanted_schemas:
            self._post_schemas(collector)
            return self._clock.monotonic()
        enclosed = self._lanes.live(collector, now)
        if enclosed:
            self._post(collector, LIVE_LANE, enclosed)
            return self._clock.monotonic()
        better = missed(self.collectors, collector, now)
        if better is not None:
            self._post(better, LIVE_LANE, [])
            return self._clock.monotonic()
        if self._errand is not None and self._errand.is_due(collector, now):
            self._errand.run(collector, now)
            return self._clock.monotonic()
        if now < self._pace.backlog_at:
            return self._pace.backlog_at
        enclosed = self._lanes.backlog(collector)
        if enclosed:
            self._post(collector, BACKLOG_LANE, enclosed)
            return self._clock.monotonic()
        if collector.refused and now >= self._second_opinion_at:
            return self._ask_the_next(collector, now)
        better_ones = self.collectors[: self.collectors.index(collector)]
        return min([now + IDLE_SECONDS, *(one.ready_at for one in better_ones)])

    def _ask_the_next(self, refusing: CollectorLink, now: float) -> float:
        """What a hub refuses for ever only the centre can settle: put it to the next collector, where that is reached."""
        for other in self.collectors[self.collectors.index(refusing) + 1 :]:
            if other.ready_at > now:
                continue
            if not other.is_greeted or other.hold_code:  # its hour is over: it may have been resumed since
                self._post(other, LIVE_LANE, [])
                return self._clock.monotonic()
            enclosed = self._lanes.refused(refusing, other)
            if enclosed:
                self._post(other, BACKLOG_LANE, enclosed)
                return self._clock.monotonic()
        self._second_opinion_at = now + HOLD_SECONDS
        return now

    # ------------------------------------------------------------ the exchange

    def _post(self, collector: CollectorLink, lane: str, enclosed: list[Enclosed]) -> None:
        """Nothing enclosed: a greeting."""
        if collector.key_at and self._clock.monotonic() >= collector.newest_key_at:
            collector.key_at = 0
        envelopes = [pack_enclosed(self._signers.at(collector.key_at), one) for one in enclosed]
        deadline = self._pace.deadline_seconds(sum(map(len, envelopes)), collector.failures)
        deadline = deadline if enclosed else GREETING_SECONDS
        request = envelopes_request(collector.url, lane, envelopes, self._clock.wall_ms(), deadline)
        started_at = self._clock.monotonic()
        answer = self._ask(collector, request, lane)
        seconds = self._clock.monotonic() - started_at
        count = sum(len(one.records) for one in enclosed)
        if answer is None:
            self._pace.note_failure(count)
            return
        self._pace.note(lane, count, len(request.body), started_at, seconds, answer.backlog_bytes_per_second)
        self._bytes_sent += len(request.body)
        if enclosed:
            self.records_sent += count
            self._taking.take(collector, enclosed, answer, self.collectors)

    def _post_schemas(self, collector: CollectorLink) -> None:
        """One at a time: a request may hold a mebibyte, and one that is no longer asked for fails all beside it."""
        wanted = collector.wanted_schemas.pop(0)
        with self._spool.lock:
            found = [packed for shelf in self._spool.shelves() if (packed := shelf.schema(wanted)) is not None]
        if found:
            self._ask(collector, schemas_request(collector.url, found[:1], self._clock.wall_ms(), SCHEMA_SECONDS))

    def _ask(self, collector: CollectorLink, request: Request, lane: str = LIVE_LANE) -> Answer | None:
        """The answer of a collector, its clock, its wishes and who it is taken in; None where there was none."""
        started_at = self._clock.monotonic()
        response = self._exchange(request)
        now = self._clock.monotonic()
        answer = _read(response)
        if not isinstance(answer, Answer):
            wait = response.retry_after_seconds if isinstance(response, Response) else 0.0
            if request.path == SCHEMAS_PATH and isinstance(response, Response) and response.status in SCHEMAS_DONE:
                return None
            wait = min(wait, LONGEST_RETRY_AFTER)
            is_busy = isinstance(response, Response) and response.status in BUSY and wait > 0
            if is_busy and lane == BACKLOG_LANE:  # what is live may be welcome all the same
                self._pace.stand_back(now + wait + backoff_seconds(collector.failures + 3, self._chance))
                return None
            if not collector.last_trouble:
                self._log(f"no answer from collector: {answer}")
            if is_busy:
                collector.shed(now, self._chance, answer, wait)
            else:
                collector.fail(now, self._chance, answer, wait)
            return None
        if collector.last_trouble:
            self._log(f"collector answers again: {collector.url}")
        if collector.meet(answer.receiver):
            self._spool.forget_held(collector.url)
        collector.last_answer_ms = self._clock.wall_ms()
        collector.ready_at = now + min(max(0.0, answer.retry_after_seconds), LONGEST_RETRY_AFTER)
        self._offset.measure(answer.now_ms, started_at, now)
        asked = [bytes.fromhex(text) for text in answer.need_schemas[: SCHEMAS_WANTED - len(collector.wanted_schemas)]]
        collector.wanted_schemas += [wanted for wanted in asked if wanted not in collector.wanted_schemas]
        return answer

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
            self._taking.forks,
            sum(refused.count for refused in used.refused.values()),
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
