"""``GET /events``: what changed on the board, as server-sent events.

``rows``    ``{now, at, counts, rows: {site: table body}, seen: {site: ms}}``; its id is where the browser stands then
``beat``    ``{now, at}`` every few seconds, so that a browser can tell a quiet board from a dead line
``reload``  the fleet itself changed: load the page anew
``incidents``  ``{token, open: {severity: count}}`` when something happened to an incident

One ticker serves all streams, and runs only while there is one. It looks once a second, makes the text of a change once
for each scope and language, and hands the same bytes to everyone. A browser that comes back names where it stood
(``Last-Event-ID``) and gets what it missed.

Async like the intake, and for the same reason: thousands may wait here, and waiting must cost nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from collector.access.guard import Watcher
from collector.incidents.queries import count_open
from collector.incidents.signal import SEVERITIES
from collector.store.schema import instant
from collector.store.scope import EVERYTHING, Scope
from collector.web import view
from collector.web.i18n import LANGUAGES, words
from collector.web.queries import newest_event
from collector.web.rows import Boards, Snapshot

if TYPE_CHECKING:
    from collector.services import Services

TICK_SECONDS = 1.0
BEAT_TICKS = 5
"""A sign of life at least every so many ticks; the browser worries after two missed ones."""
LIFE_TICKS = 900
"""A stream ends after a quarter of an hour: the browser comes back at once, and its right to look is asked again."""
QUEUE_EVENTS = 8
"""A browser this far behind is let go; it comes back and gets the sum of what it missed."""
RETRY = b"retry: 3000\n\n"
RELOAD = b"event: reload\ndata: {}\n\n"


@dataclass(eq=False)
class Listener:
    """One open stream."""

    scope: Scope
    language: str
    token: str
    incidents: str | None = None
    """The state of incidents this browser was told last."""
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_EVENTS))
    """Events to send; None ends the stream."""
    ticks: int = 0
    quiet_ticks: int = 0
    person: str = ""

    def send(self, event: bytes | None) -> bool:
        """False where the browser does not keep up."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            return False
        self.quiet_ticks = 0
        return True


class Streams:
    """All open streams and the ticker behind them. Everything but ``close`` runs on the event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.on_shown: Callable[[str, str, datetime], None] = lambda _console, _person, _at: None
        """Told that a board of everything is before somebody's eyes; must not block."""
        self.boards = Boards(services.clock.wall_ms())
        self._listeners: set[Listener] = set()
        self._ticker: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = asyncio.Event()

    def __len__(self) -> int:
        return len(self._listeners)

    async def stream(self, scope: Scope, language: str, token: str, person: str = "") -> AsyncIterator[bytes]:
        """Events for one browser until it leaves, falls behind, or its time is over."""
        listener = Listener(scope, language, token, person=person)
        self._listeners.add(listener)
        try:
            yield RETRY
            await self.tick([listener])
            if self._ticker is None or self._ticker.done():
                self._loop = asyncio.get_running_loop()
                self._ticker = self._loop.create_task(self._run())
            while (event := await listener.queue.get()) is not None:
                yield event
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End all streams, so that a server that waits for its connections can stop. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close)

    def _close(self) -> None:
        self._closing.set()
        for listener in tuple(self._listeners):
            self._end(listener)

    async def _run(self) -> None:
        while self._listeners and not self._closing.is_set():
            await self.tick(list(self._listeners))
            try:
                await asyncio.wait_for(self._closing.wait(), TICK_SECONDS)
            except TimeoutError:
                continue

    async def tick(self, listeners: list[Listener]) -> None:
        """Look once, and send each listener what it lacks."""
        for scope in {listener.scope for listener in listeners}:
            snapshot = await run_in_threadpool(self._observe, scope)
            found, told = await run_in_threadpool(self._incidents, scope)
            made: dict[tuple[str, str], bytes] = {}
            for listener in listeners:
                if listener.scope != scope:
                    continue
                if listener.incidents not in (None, found):  # at first it has just loaded how they stand
                    listener.send(told)
                listener.incidents = found
                key = (listener.language, listener.token)
                if key not in made:
                    made[key] = self._event(snapshot, *key, scope)
                self._give(listener, snapshot, made[key])

    def _give(self, listener: Listener, snapshot: Snapshot, event: bytes) -> None:
        listener.ticks += 1
        listener.quiet_ticks += 1
        if event:
            listener.token = snapshot.token
        elif listener.ticks == 1 or listener.quiet_ticks >= BEAT_TICKS:
            event = _frame("beat", self._times(snapshot))
        if event and listener.scope == EVERYTHING:
            self.on_shown(listener.person, listener.person, instant(self._services.clock.wall_ms()))
        is_over = event is RELOAD or listener.ticks > LIFE_TICKS
        if (event and not listener.send(event)) or is_over:
            self._end(listener)

    def _end(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        while not listener.send(None):
            listener.queue.get_nowait()

    def _observe(self, scope: Scope) -> Snapshot:
        services = self._services
        return self.boards.of(scope).observe(services.registry.fleet, services.live, services.standing)

    def _incidents(self, scope: Scope) -> tuple[str, bytes]:
        """Where the incidents of a scope stand, as one word, and the event that says so."""
        with self._services.store.reading() as connection:
            counts, newest = count_open(connection, scope), newest_event(connection)
        token = f"{newest}.{'.'.join(str(counts.get(name, 0)) for name in SEVERITIES)}"
        return token, _frame("incidents", {"token": token, "open": counts})

    def _event(self, snapshot: Snapshot, language: str, token: str, scope: Scope) -> bytes:
        """What a browser at ``token`` lacks; empty where it lacks nothing."""
        if not snapshot.is_same_fleet(token):
            return RELOAD
        tick = snapshot.tick_of(token)
        if tick == snapshot.tick:
            return b""
        now_ms, texts, board = self._services.clock.wall_ms(), words(language), self.boards.of(scope)
        rows = {
            site: board.markup(row, snapshot.seen[site], now_ms, texts)
            for site, row in snapshot.rows.items()
            if snapshot.changed[site] > tick
        }
        seen = {site: ms for site, ms in snapshot.seen.items() if site not in rows and snapshot.seen_tick[site] > tick}
        if not rows and not seen:
            return b""
        counts = view.counts_by_state(snapshot.rows.values())
        return _frame("rows", {**self._times(snapshot), "counts": counts, "rows": rows, "seen": seen}, snapshot.token)

    def _times(self, snapshot: Snapshot) -> dict[str, Any]:
        return {"now": self._services.clock.wall_ms(), "at": snapshot.at_ms}


def _frame(kind: str, data: dict[str, Any], token: str = "") -> bytes:
    head = f"id: {token}\n" if token else ""
    return f"{head}event: {kind}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"


def router(streams: Streams) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/events")
    async def events(request: Request, caller: Watcher, since: str = "", lang: str = "ko") -> StreamingResponse:
        token = request.headers.get("last-event-id") or since
        language = lang if lang in LANGUAGES else "ko"
        return StreamingResponse(
            streams.stream(caller.scope, language, token, caller.name),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return routes
