"""The line to the centre: one kept connection, one back-off, and who answers there.

Relay, registry and enrolments on the centre's behalf share it. Whatever is not an answer of the centre is tried again:
full jitter, at most a minute, and ``retry-after`` obeyed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from agent.link.answer import CENTRE, Answer, AnswerError, Receiver, read_answer
from agent.link.backoff import backoff_seconds
from agent.link.clock import Chance, Clock
from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.model import encode
from agent.link.names import ANSWER_TYPE, ENVELOPES_TYPE, LANE_HEADER, SENT_AT_HEADER
from agent.link.packing import pack_envelopes
from agent.link.send_request import ENVELOPES_PATH, SCHEMAS_PATH
from agent.link.signed_get import NONCE_CHARS, Asker, NotTold, Told, signed_get, signed_headers

log = logging.getLogger(__name__)
LONGEST_RETRY_AFTER = 600.0
GREETING_SECONDS = 10.0
QUESTION_SECONDS = 20.0
"""For the whole answer to a question: a hub with nothing to report asks once a minute, and one question that hangs must be over
and asked again before it is missed. Twice as long after each that came to nothing, for a region's registry on a thin line may
take so long."""
SLOW_BYTES_PER_SECOND = 2_000
LONGEST_SECONDS = 75.0
"""Of any request. While one lasts nothing else is said to the centre, which takes a hub for silent after 90 s: a request
that hangs must be over, and another under way, before that."""


class NoAnswer(Exception):
    """The centre did not answer as such; ``status`` 0 where nobody did."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Upstream:
    """One thread asks; the attributes may be read from others."""

    def __init__(self, url: str, asker: Asker, exchange: Exchange, clock: Clock, chance: Chance) -> None:
        self.url = url.rstrip("/")
        self.exchange = exchange
        self.ready_at = 0.0
        """Monotonic: not to be asked before, after a failure or because it said so."""
        self.failures = 0
        self.trouble = ""
        self.answered_ms = 0
        self.receiver: Receiver | None = None
        self.bytes_sent = 0
        self._asker = asker
        self._clock = clock
        self.chance = chance
        self._nonce = ""
        self._in_vain = 0
        """Questions in a row that nobody answered, whatever became of reports between them."""

    def post_envelopes(self, lane: str, envelopes: Sequence[bytes], deadline_seconds: float) -> tuple[Answer, int]:
        """(the centre's answer, bytes sent). An empty request is a greeting. Raises NoAnswer."""
        headers = [
            ("content-type", ENVELOPES_TYPE),
            (SENT_AT_HEADER, str(self._clock.wall_ms())),
            (LANE_HEADER, lane),
        ]
        if self._nonce:  # who brought them is evidence only: the envelopes prove themselves
            headers += signed_headers(self._asker, "POST", ENVELOPES_PATH, self._nonce)
        body = pack_envelopes(envelopes)
        deadline_seconds = min(deadline_seconds, LONGEST_SECONDS) if envelopes else GREETING_SECONDS
        answer = self._ask(Request("POST", self.url, ENVELOPES_PATH, body, tuple(headers), deadline_seconds))
        self.bytes_sent += len(body)
        return answer, len(body)

    def post_schema(self, packed: bytes) -> None:
        """Whatever is said to it, the centre asks again where it still lacks it. Raises NoAnswer where nobody answered."""
        headers = (("content-type", "application/msgpack"), (SENT_AT_HEADER, str(self._clock.wall_ms())))
        deadline = min(LONGEST_SECONDS, QUESTION_SECONDS + len(packed) / SLOW_BYTES_PER_SECOND)
        response = self.exchange(Request("POST", self.url, SCHEMAS_PATH, encode([packed]), headers, deadline))
        if isinstance(response, Failure):
            raise self._failed(response.text, 0)
        if response.status >= 500:
            raise self._failed(f"schema: HTTP {response.status}", response.status, response.retry_after_seconds)

    def get(self, path: str) -> Told | NotTold:
        """A signed GET; does not count as a failure of the line by itself."""
        told = self.ask(path, patience_seconds(self._in_vain))
        self._in_vain = self._in_vain + 1 if isinstance(told, NotTold) and not told.status else 0
        return told

    def ask(self, path: str, deadline_seconds: float) -> Told | NotTold:
        """The same for whoever counts by itself how often it asked in vain."""
        told = signed_get(self.exchange, self.url, path, self._asker, self._nonce, deadline_seconds)
        self._nonce = told.nonce
        if isinstance(told, Told):
            self._well()
        return told

    def post(self, path: str, body: bytes, deadline_seconds: float = QUESTION_SECONDS) -> Response | Failure:
        """A signed POST of JSON. One more exchange where the nonce was missing or old."""
        for _ in range(2):
            headers = (("content-type", "application/json"), *signed_headers(self._asker, "POST", path, self._nonce))
            response = self.exchange(Request("POST", self.url, path, body, headers, deadline_seconds))
            fresh = fresh_nonce(response)
            if not fresh or fresh == self._nonce:
                return response
            self._nonce = fresh
        return response

    def _ask(self, request: Request) -> Answer:
        response = self.exchange(request)
        if isinstance(response, Failure):
            raise self._failed(response.text, 0)
        if response.status != 200 or response.content_type != ANSWER_TYPE:
            said = f"HTTP {response.status} {response.content_type or 'without a content type'}"
            raise self._failed(
                f"{self.url}: {said}: expected 200 {ANSWER_TYPE}", response.status, response.retry_after_seconds
            )
        try:
            answer = read_answer(response.body)
        except AnswerError as why:
            raise self._failed(str(why), response.status) from why
        if answer.receiver.role != CENTRE:
            raise self._failed(f"{self.url} is a {answer.receiver.role}: expected the centre", response.status)
        self._well()
        self.receiver = answer.receiver
        self._nonce = answer.nonce or self._nonce
        self.ready_at = self._clock.monotonic() + min(max(0.0, answer.retry_after_seconds), LONGEST_RETRY_AFTER)
        return answer

    def _well(self) -> None:
        if self.trouble:
            log.info("the centre answers again", extra={"url": self.url})
        self.failures, self.trouble = 0, ""
        self.answered_ms = self._clock.wall_ms()

    def fail(self, text: str, retry_after_seconds: float = 0.0) -> None:
        """Wait before asking again."""
        if not self.trouble:
            log.warning("the centre does not answer, trying again for ever: %s", text)
        self.failures += 1
        self.trouble = text
        wait = max(backoff_seconds(self.failures, self.chance), min(retry_after_seconds, LONGEST_RETRY_AFTER))
        self.ready_at = self._clock.monotonic() + wait

    def _failed(self, text: str, status: int, retry_after_seconds: float = 0.0) -> NoAnswer:
        self.fail(text, retry_after_seconds)
        return NoAnswer(text, status)


def patience_seconds(in_vain: int) -> float:
    """For a question that so many before it were asked in vain."""
    return float(min(LONGEST_SECONDS, QUESTION_SECONDS * 2 ** min(in_vain, 4)))


def fresh_nonce(response: Response | Failure) -> str:
    """The nonce that a 401 brings, empty where it is none."""
    if isinstance(response, Failure) or response.status != 401:
        return ""
    try:
        nonce = msgspec.json.decode(response.body, type=_Nonce).nonce
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""
    return nonce if nonce.isalnum() and len(nonce) <= NONCE_CHARS else ""


class _Nonce(msgspec.Struct):
    nonce: str = ""
