"""Who connects and does not come to the point: told so, or left, while others are served."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from collector import connection
from collector.connection import HEADER_BYTES, Connection

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(_scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def talk(
    conversation: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]],
    served: Any = app,
    rest_seconds: float = 5,
) -> Any:
    async def run() -> Any:
        config = uvicorn.Config(served, http=Connection, log_config=None)
        config.timeout_keep_alive = rest_seconds  # type: ignore[assignment]
        config.load()
        state = ServerState()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(config, state, {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            return await asyncio.wait_for(conversation(reader, writer), 20)
        finally:
            writer.close()
            server.close()

    return asyncio.run(run())


@pytest.mark.parametrize("said", [b"", b"POST /v1/env", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_headers_that_do_not_end_are_not_waited_for(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.05)

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(said)
        return await reader.read()

    assert talk(wait) == b""


def test_headers_without_measure_end_the_connection() -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(b"GET / HTTP/1.1\r\n")
        for number in range(100 * HEADER_BYTES // 1_000):
            try:
                writer.write(b"X-%d: %s\r\n" % (number, b"y" * 1_000))
                await writer.drain()
            except ConnectionError:
                return number
            await asyncio.sleep(0)
        return -1

    assert 0 < talk(flood) < 20 * HEADER_BYTES // 1_000


def test_a_request_in_time_and_the_next_on_the_same_connection_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.2)

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[bytes]:
        answers = []
        for body in (b"", b"x" * 300_000):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
            await writer.drain()
            await asyncio.sleep(0.3 if body else 0)  # a body takes its time: that is its reader's business
            writer.write(body)
            answers.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(2))
        return answers

    assert all(answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"ok") for answer in talk(twice))


async def whole(scope: Any, receive: Any, send: Any) -> None:
    """Answers in one piece where it can, or, asked for /long, in two."""
    while (await receive()).get("more_body"):
        pass
    headers, body = ((b"content-type", b"text/plain"), (b"content-length", b"2")), b"ok"
    if scope["path"] == "/long" or not scope[connection.WHOLE](200, headers, body):
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize("said", [b"", b"Connection: close\r\n", b"Connection: keep-alive\r\n"])
def test_an_answer_in_one_piece_is_the_answer_in_two(version: bytes, said: bytes) -> None:
    def ask(path: bytes, last: bytes = b"") -> bytes:
        return b"POST %s HTTP/%s\r\nHost: x\r\n%sContent-Length: 1\r\n\r\nx" % (path, version, last)

    def told(path: bytes) -> bytes:
        async def thrice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
            writer.write(ask(path, said) + ask(path, said) + ask(path, b"Connection: close\r\n"))  # none is waited for
            return await reader.read()

        answers: bytes = talk(thrice, whole)
        return re.sub(rb"date: [^\r]+", b"date: now", answers)

    assert told(b"/whole") == told(b"/long")
    assert told(b"/whole").count(b"\r\n\r\nok") == (1 if said == b"Connection: close\r\n" or version == b"1.0" else 3)


def test_nobody_who_is_gone_or_does_not_read_is_answered_in_one_piece() -> None:
    sent: list[bool] = []

    async def late(scope: Any, receive: Any, _send: Any) -> None:
        await receive()
        while (await receive())["type"] != "http.disconnect":
            pass
        sent.append(scope[connection.WHOLE](200, (), b""))

    async def leave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ASK)
        await asyncio.sleep(0.05)
        writer.close()
        while not sent:
            await asyncio.sleep(0.01)

    talk(leave, late)
    assert sent == [False]


def test_a_request_that_is_over_leaves_nothing_for_the_garbage_collector() -> None:
    """Ten objects a request were a stall of fifty milliseconds each few seconds."""

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        for _ in range(20):
            writer.write(ASK)
            assert (await reader.readuntil(b"ok")).endswith(b"ok")
        return sum(isinstance(each, RequestResponseCycle) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        assert talk(ask) <= 2, "one that is answered, and the next"
    finally:
        gc.enable()


def test_a_connection_that_rests_too_long_after_an_answer_is_closed() -> None:
    async def rest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[float]:
        loop = asyncio.get_running_loop()
        answered = []
        for _ in range(4):  # longer together than one rest may be
            await asyncio.sleep(0.06)
            writer.write(ASK)
            await reader.readuntil(b"ok")
            answered.append(loop.time())
        assert await reader.read() == b""
        return [loop.time() - answered[-1], answered[-1] - answered[0]]

    rested, before = talk(rest, rest_seconds=0.1)
    assert before > 0.15
    assert rested >= 0.1


def test_who_begins_a_request_at_the_end_of_a_rest_may_end_it() -> None:
    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(ASK)
        await reader.readuntil(b"ok")
        writer.write(ASK[:-4])
        await asyncio.sleep(0.2)
        writer.write(ASK[-4:])
        return await reader.readuntil(b"ok")

    assert talk(begin, rest_seconds=0.05).endswith(b"ok")
