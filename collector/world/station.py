"""A collector of the world: the product's whole application on a data directory, in steps instead of threads.

A request goes through the application's own ASGI door; its writer and its background work run when the world says so. What
survives a death is what stands in the data directory. (SQLite's promise that a commit survives a power cut is taken for
granted here; ``tests/durability`` holds it to that on a disk that forgets.)
"""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import Callable, Mapping, MutableMapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import event

from agent.link.exchange import Failure, Request, Response
from agent.link.send_request import ENVELOPES_PATH, SCHEMAS_PATH
from collector.app import App, build
from collector.settings import Settings
from collector.world.clock import MachineClock, Timeline

LINK_PATHS = (ENVELOPES_PATH, SCHEMAS_PATH)
BEFORE_COMMIT, AFTER_COMMIT = "before its commit", "after its commit"


class InlineLoop(asyncio.SelectorEventLoop):
    """What others hand to a thread happens at once."""

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        del executor
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as why:  # noqa: BLE001 -- it is the caller's, as from a thread
            done.set_exception(why)
        return done


class Station:
    """``folder`` is the data directory; ``jobs``: background work by name, and how often the world runs it (seconds)."""

    def __init__(
        self, timeline: Timeline, folder: Path, loop: InlineLoop, jobs: dict[str, float] | None = None
    ) -> None:
        self.folder = folder
        self.clock = MachineClock(timeline)
        self.app: App | None = None
        self.lives = 0
        self.deaths = 0
        self._timeline = timeline
        self._loop = loop
        self._jobs = jobs or {}
        self._turns = 0
        """Of which row of turns those are that count; ``hurry`` begins another."""
        self.least_seconds: Callable[[], float] = lambda: 0.0
        """Between two runs of a job, asked before each."""

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder)

    def begin(self) -> App:
        """Start on what the data directory holds."""
        self.clock.boot()
        app = self.app = build(self.settings, self.clock)
        if app.store.is_sqlite:
            event.listen(app.store.engine, "connect", _do_not_sync)
        app.read_back()
        self.lives += 1
        self.hurry()
        return app

    def hurry(self) -> None:
        """Plan all background work anew, from now."""
        self._turns += 1
        if self.app is not None:
            for name in self.paced:
                self._plan_turn(self.app, name, self._turns)

    @property
    def paced(self) -> Mapping[str, float]:
        """Seconds between two runs, by job."""
        app = self.app
        return {name: seconds for name, seconds in self._jobs.items() if app is not None and name in app.jobs.names}

    def _plan_turn(self, app: App, name: str, turns: int) -> None:
        seconds = max(self.paced[name], self.least_seconds())
        self._timeline.after(seconds, lambda: self._turn(app, name, turns))

    def end(self) -> None:
        """The process is gone, whatever it was doing."""
        if self.app is not None:
            self.deaths += 1
            self.app.store.close()
            self.app = None

    def _turn(self, app: App, name: str, turns: int) -> None:
        if self.app is app and turns == self._turns:
            app.jobs.run(name)
            app.log.step()
            self._plan_turn(app, name, turns)

    # ------------------------------------------------------------ requests

    def answer(self, request: Request, arrives: float = 0.0) -> Response | Failure:
        """What it answers to a request that arrives so many seconds from now."""
        app = self.app
        if app is None:
            return Failure("connection refused")
        self.clock.ahead = arrives
        try:
            return self._exchange(app, request)
        finally:
            self.clock.ahead = 0.0

    def die_at(self, point: str, request: Request, arrives: float = 0.0) -> Response | Failure:
        """Take a request and die of it. Whoever sent it hears nothing, unless it was answered before the commit."""
        said: Response | Failure = Failure("connection reset")
        if self.app is not None and point == BEFORE_COMMIT:
            engine = self.app.store.engine
            event.listen(engine, "commit", _fail)
            early = self.answer(request, arrives)
            event.remove(engine, "commit", _fail)
            if isinstance(early, Response) and early.status == 200:
                said = early
        else:
            self.answer(request, arrives)
        self.end()
        return said

    def _exchange(self, app: App, request: Request) -> Response:
        said: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            said.append(message)

        task = self._loop.create_task(app(_scope(request), receive, send))
        if request.path not in LINK_PATHS:
            self._loop.run_until_complete(task)  # a thread of the web framework answers; nobody else moves meanwhile
        while not task.done():
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()
            app.log.step()
        self._loop.call_soon(self._loop.stop)
        self._loop.run_forever()  # what was to follow the task's end
        task.result()
        headers = {name.lower(): value.decode("latin-1") for name, value in said[0]["headers"]}
        body = b"".join(part.get("body", b"") for part in said[1:])
        kind = headers.get(b"content-type", "").split(";")[0].strip().lower()
        return Response(said[0]["status"], kind, body, float(headers.get(b"retry-after", 0) or 0))


def _scope(request: Request) -> dict[str, Any]:
    url = urlsplit(request.path)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": url.path,
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8650),
    }


def _fail(_connection: object) -> None:
    raise OSError(errno.EIO, "the process ends here")


def _do_not_sync(raw: sqlite3.Connection, _entry: object) -> None:
    raw.execute("PRAGMA synchronous=OFF")
