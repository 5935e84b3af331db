"""``POST /v1/envelopes`` and ``POST /v1/schemas`` as raw ASGI: bytes in, commit, answer out."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace

import msgspec

from agent.link.answer import HOLD, Receiver, write_answer
from agent.link.clock import Clock
from agent.link.names import ANSWER_TYPE, Limits
from agent.link.wire import WireError, open_request
from collector.connection import WHOLE, AnswerWhole
from collector.fleet.registry import Registry
from collector.intake.admit import Admission, Admitted, Refused
from collector.intake.body import BodyError, Receive, Room, Scope, Send, fixed_headers, read_body, send, send_problem
from collector.intake.brought import BAD_SIGNATURE, say_forged
from collector.intake.commit import Writer
from collector.intake.nonce import Nonces
from collector.intake.reply import Answering, answer
from collector.intake.settle import SchemaRefused, settle
from collector.intake.shed import Shedder, lane_of
from collector.intake.work import Work

TURN_SECONDS = 0.002
"""How long one request's envelopes are admitted before other requests get a turn."""
REQUEST_RECORDS = 100_000
REQUEST_COLUMN_BYTES = 256 << 20
"""What one request may hold unpacked, of admitted envelopes: a thousand ordinary envelopes are a third of it."""
SCHEMAS_AT_ONCE = 1_000
_ANSWER_TYPE = ANSWER_TYPE.encode()
_decode_schemas = msgspec.msgpack.Decoder(list[bytes]).decode


class Intake:
    def __init__(
        self,
        registry: Registry,
        admission: Admission,
        writer: Writer,
        answering: Answering,
        nonces: Nonces,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._registry = registry
        self._admission = admission
        self._writer = writer
        self._answering = answering
        self._nonces = nonces
        self._clock = clock
        self._limits = limits
        self.shedder = Shedder()
        self.on_shed: Callable[[str], None] = lambda _lane: None
        """Told the lane of a request that was turned away for load."""
        self._room = Room()
        self._gathered: list[asyncio.Future[None]] = []
        """Requests that wait for others."""
        self._admitted: list[Work] = []
        """For the writer, of those who waited together."""
        self._finished: deque[tuple[asyncio.Future[BaseException | None], BaseException | None]] = deque()
        self.refusals: Counter[tuple[str, str]] = Counter()
        """(site, code) -> envelopes refused; site empty where nobody could be believed."""
        self.on_refused: Callable[[str], None] = lambda _code: None
        self.bearer: Callable[[Scope], str] = lambda _scope: ""
        """The hub that brings a request, as its signature proves; empty where an agent came by itself."""
        self.on_brought: Callable[[str, Refused], None] = lambda _hub, _refusal: None
        """Told of what a hub brought and was refused."""

        self.clock_trouble: Callable[[], str] = lambda: ""
        """Why the date is not to be believed: what is too old to be kept cannot be told then, and nothing is taken."""

    @property
    def forged(self) -> int:
        """Envelopes refused since the start because their agent had not sealed them."""
        return self.refusals["", BAD_SIGNATURE]

    def become(self, receiver: Receiver) -> None:
        """Answer as this receiver from now on."""
        self._answering = replace(self._answering, receiver=receiver)

    async def envelopes(self, scope: Scope, receive: Receive, reply: Send) -> None:
        try:
            body = await read_body(receive, self._limits.request_bytes, self._room, is_here=WHOLE in scope)
            raws = open_request(body)
            if len(raws) > self._limits.request_envelopes:
                raise BodyError(
                    413, f"{len(raws)} envelopes in one request: expected at most {self._limits.request_envelopes}"
                )
            await self._company()
        except BodyError as why:
            code = {413: "too_large", 503: "busy"}.get(why.status, "malformed")
            self._count("", code)
            await send_problem(reply, why.status, code, why.text)
            return
        except WireError as why:
            self._count("", why.code)
            await send_problem(reply, 400, why.code, why.text)
            return
        trouble = self.clock_trouble()
        if trouble:
            self._count("", "clock")
            await send_problem(reply, 503, "clock", trouble, 60)
            return
        lane = lane_of(scope.get("headers", []))
        again_in = self.shedder.refuses(lane, self._clock.monotonic()) if raws else 0
        if again_in:
            self.on_shed(lane)
            await send_problem(reply, 503, "busy", f"no room for the {lane} lane now; send again", again_in)
            return
        answering = self._answering  # as it was before the commit: what is said to be held may be less for the next one
        hub = self.bearer(scope)
        waits = self.shedder.begin(len(body), self._clock.monotonic())
        try:
            work, failure = await self._commit(raws, bool(hub))
        except BodyError as why:
            self._count("", "too_large")
            await send_problem(reply, why.status, "too_large", why.text)
            return
        finally:
            self.shedder.end(waits, self._clock.monotonic())
        if failure is not None:
            await send_problem(reply, 503, "not_stored", f"nothing of this request was kept: {failure}", 5)
            return
        for outcome in work.outcomes:
            if outcome.refused:
                for code in set(outcome.envelope.refused.values()):
                    self._count(outcome.envelope.agent.site, code)
        say_forged(work.refused)
        for refusal in work.refused:
            self._count(refusal.site, refusal.code)
            if hub:
                self.on_brought(hub, refusal)
        now_ms = self._clock.wall_ms()
        slowed = self.shedder.backlog_bytes_per_second(len(work.outcomes), self._clock.monotonic())
        said = answer(work, answering, self._registry.fleet, now_ms, self._nonces.make(now_ms), slowed)
        words = write_answer(said)
        whole: AnswerWhole | None = scope.get(WHOLE)
        if whole is None or not whole(200, fixed_headers(words, _ANSWER_TYPE), words):
            await send(reply, 200, words, _ANSWER_TYPE)

    async def _commit(self, raws: list[msgspec.Raw], singly: bool) -> tuple[Work, BaseException | None]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[BaseException | None] = loop.create_future()

        def finish(error: BaseException | None) -> None:
            self._finished.append((done, error))
            if len(self._finished) == 1:  # one wake of the loop for all requests of a commit
                loop.call_soon_threadsafe(self._settle_finished)

        work = Work([], [], self._clock.wall_ms(), finish, singly)
        await self._admit(work, raws)
        if any(refusal.action == HOLD for refusal in work.refused) and await asyncio.to_thread(self._registry.refresh):
            await self._admit(work, raws)  # another process enrolled or resumed it a moment ago
        if not work.needs_writer:
            return work, None
        self._admitted.append(work)
        if len(self._admitted) == 1:  # one commit for all who waited together
            loop.call_soon(self._submit_admitted)
        return work, await done

    async def _company(self) -> None:
        """Wait for others to share a commit with. All who wait until the same moment need one timer."""
        seconds = self._writer.company_seconds()
        if not seconds:
            return
        loop = asyncio.get_running_loop()
        if self._gathered and self._gathered[0].get_loop() is not loop:
            await asyncio.sleep(seconds)  # a program may have a loop for each request
            return
        here: asyncio.Future[None] = loop.create_future()
        self._gathered.append(here)
        if len(self._gathered) == 1:
            loop.call_later(seconds, self._go_on)
        await here

    def _go_on(self) -> None:
        gathered, self._gathered = self._gathered, []
        for waiting in gathered:
            if not waiting.done():
                waiting.set_result(None)

    def _submit_admitted(self) -> None:
        works, self._admitted = self._admitted, []
        self._writer.submit(*works)

    def _settle_finished(self) -> None:
        here = asyncio.get_running_loop()
        while self._finished:
            done, error = self._finished.popleft()
            if done.get_loop() is here:
                _settle_future(done, error)
            elif not done.get_loop().is_closed():  # a program may have a loop for each request
                done.get_loop().call_soon_threadsafe(_settle_future, done, error)

    async def _admit(self, work: Work, raws: list[msgspec.Raw]) -> None:
        """Raises BodyError where the envelopes hold too much together."""
        work.admitted, work.refused = [], []
        fleet = self._registry.fleet
        records = column_bytes = 0
        turn_ends = self._clock.monotonic() + TURN_SECONDS
        for index, raw in enumerate(raws):
            if self._clock.monotonic() >= turn_ends:
                await asyncio.sleep(0)
                turn_ends = self._clock.monotonic() + TURN_SECONDS
            judged = self._admission.admit(index, raw, fleet, singly=work.singly)
            if not isinstance(judged, Admitted):
                work.refused.append(judged)
                continue
            work.admitted.append(judged)
            records += len(judged.samples) + len(judged.records)
            column_bytes += sum(instant.words.nbytes for instant in judged.samples)
            if records > REQUEST_RECORDS or column_bytes > REQUEST_COLUMN_BYTES:
                raise BodyError(
                    413,
                    f"over {REQUEST_RECORDS} records or {REQUEST_COLUMN_BYTES} bytes of columns in one request: "
                    "send fewer envelopes at once",
                )

    def _count(self, site: str, code: str) -> None:
        self.refusals[site, code] += 1
        self.on_refused(code)

    async def schemas(self, _scope: Scope, receive: Receive, reply: Send) -> None:
        """A schema somebody asked for: MessagePack array of schema byte strings, or one schema's bytes as they are."""
        try:
            body = await read_body(receive, self._limits.schema_bytes, self._room)
        except BodyError as why:
            await send_problem(reply, 404 if why.status == 413 else why.status, "too_large", why.text)
            return
        try:
            brought = _decode_schemas(body)
        except (msgspec.MsgspecError, RecursionError):
            brought = [body]
        if len(brought) > SCHEMAS_AT_ONCE:
            text = f"{len(brought)} schemas at once: expected at most {SCHEMAS_AT_ONCE}"
            await send_problem(reply, 404, "schema_not_asked", text)
            return
        loop = asyncio.get_running_loop()
        done: asyncio.Future[BaseException | None] = loop.create_future()

        def act() -> None:
            error: BaseException | None = None
            try:
                settle(self._writer, self._admission, brought)
            except Exception as why:  # noqa: BLE001 -- the request border: the sender must hear, whatever went wrong
                error = why
            loop.call_soon_threadsafe(_settle_future, done, error)

        self._writer.call(act)
        failure = await done
        if isinstance(failure, SchemaRefused):
            self._count("", failure.code)
            await send_problem(reply, failure.status, failure.code, failure.text)
        elif failure is not None:
            await send_problem(reply, 503, "not_stored", f"the schema was not kept: {failure}", 5)
        else:
            await send(reply, 200, b'{"taken":%d}' % len(brought), b"application/json")


def _settle_future(done: asyncio.Future[BaseException | None], error: BaseException | None) -> None:
    if not done.done():
        done.set_result(error)
