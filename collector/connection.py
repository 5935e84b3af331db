"""A connection that ends where its headers do not: uvicorn's own, which waits for them without end and without measure.

Anyone who can connect could otherwise hold as many connections as there are file descriptors, or fill the memory with
headers. A body's size and time are the business of whoever reads it (``intake.body``, ``access.guard``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from weakref import ref

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

SMALL_BYTES = 4 << 10
HEADER_SECONDS = 20.0
"""From the connection, or from a request's first byte, to the end of its headers."""
HEADER_BYTES = 64 << 10
WHOLE = "bongsu.whole"
"""Set in the scope of a request once its whole body is here: whoever reads it then waits for nothing. What is set is an
``AnswerWhole``."""
AnswerWhole = Callable[[int, Sequence[tuple[bytes, bytes]], bytes], bool]
"""Sends status, headers and body as one piece, where the headers are our own and name the body's length: a third of what
uvicorn takes to look at each of them. False where it did not, because the peer is gone or does not read."""


class Connection(HttpToolsProtocol):
    _patience: asyncio.TimerHandle | None = None
    _in_headers = True
    _received = 0
    _rest: asyncio.TimerHandle | None = None
    _resting_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = OneWrite(transport, self.loop)  # type: ignore[assignment]
        self._patience = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_headers = self._in_headers
        super().data_received(data)
        if not self._in_headers:  # mostly: whole headers at once need no timer
            self._received = 0
            return
        if self._patience is None and not self.transport.is_closing():
            self._patience = self.loop.call_later(HEADER_SECONDS, self._give_up)
        self._received = self._received + len(data) if was_in_headers else 0
        if self._received > HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response(f"Headers over {HEADER_BYTES} bytes.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_headers = True

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._be_patient()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """As uvicorn's, with one timer for all the rests of a connection: each answer made one and ended one."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._resting_since = self.loop.time()
        if self._rest is None:
            self._rest = self.loop.call_later(self.timeout_keep_alive, self._look_whether_it_rests)

    def _look_whether_it_rests(self) -> None:
        self._rest = None
        if self._in_headers or not self.cycle.response_complete:
            return  # the end of that answer begins the next rest
        left = self._resting_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._rest = self.loop.call_later(left, self._look_whether_it_rests)
        else:
            self.timeout_keep_alive_handler()

    def on_message_complete(self) -> None:
        self.scope[WHOLE] = partial(self._answer, ref(self.cycle))  # type: ignore[literal-required]
        super().on_message_complete()

    def _answer(
        self, asked: ref[RequestResponseCycle], status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
    ) -> bool:
        cycle = asked()  # it has the scope we are in: each request would be left for the garbage collector
        if cycle is None or cycle.disconnected or cycle.response_started or self.flow.write_paused:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        lines = [b"%s: %s\r\n" % header for header in (*cycle.default_headers, *headers)]
        if not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        self.transport.write(b"".join((STATUS_LINE[status], *lines, b"\r\n", body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        return True

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        if not self.transport.is_closing():
            self.transport.close()


class OneWrite:
    """A transport that sends an answer's head with its body: each write is a system call and wakes the reader.

    A small piece waits for the next one, but no longer than the loop's turn. So the answers of one commit, which are made
    in one turn, go out one right after the other.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting = b""

    def write(self, data: bytes) -> None:
        if len(self._waiting) + len(data) > SMALL_BYTES:
            data, self._waiting = self._waiting + data, b""
            self._transport.write(data)
        elif self._waiting:
            self._waiting += data
        else:
            self._waiting = data
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._waiting:
            data, self._waiting = self._waiting, b""
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
