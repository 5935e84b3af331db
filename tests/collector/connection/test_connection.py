"""Who connects and does not come to the point: told so, or left, while others are served."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from collector import connection
from collector.connection import HEADER_BYTES, Connection

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(_scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def talk(conversation: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        config = uvicorn.Config(app, http=Connection, log_config=None)
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
