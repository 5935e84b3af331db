"""A small HTTP/1.1 client on kept connections, cheap enough not to be what is measured."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import uvloop


class Address(NamedTuple):
    port: int
    tls: ssl.SSLContext | None = None


class Reply(NamedTuple):
    status: int
    head: bytes
    body: bytes
    """As it came over the wire: still compressed where it is."""

    def text(self) -> bytes:
        return zlib.decompress(self.body, 31) if b"content-encoding: gzip" in self.head.lower() else self.body


class Sent(NamedTuple):
    """What a run of requests took: for each, in the order they ended, its seconds, its answer and when that came."""

    seconds: float
    latencies: list[float]
    replies: list[Reply]
    ended_at: list[float]


class BadReply(Exception):
    """The server under measurement did not do what is measured; a figure would be a lie."""


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    """A whole HTTP request as bytes, so that nothing is put together while the clock runs."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection:
    def __init__(self, address: Address) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, raw: bytes) -> Reply:
        """Send a request and read the whole answer."""
        return await self._rest(*await self._begin(raw))

    async def first_byte(self, raw: bytes) -> tuple[float, Reply]:
        """The same, and the seconds until the answer began."""
        began = time.perf_counter()
        reader, head = await self._begin(raw)
        return time.perf_counter() - began, await self._rest(reader, head)

    async def _rest(self, reader: asyncio.StreamReader, head: bytes) -> Reply:
        status, lowered = int(head[9:12]), head.lower()
        if b"transfer-encoding: chunked" in lowered:
            return Reply(status, head, await _chunks(reader))
        at = lowered.find(b"content-length:")
        size = int(lowered[at + 15 : lowered.index(b"\r", at)]) if at >= 0 else 0
        return Reply(status, head, await reader.readexactly(size) if size else b"")

    async def stream(self, raw: bytes) -> AsyncIterator[bytes]:
        """Send a request and read the events of its endless answer."""
        reader, head = await self._begin(raw)
        if int(head[9:12]) != 200:
            raise BadReply(f"no event stream: {head[:100]!r}")
        waiting = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            waiting += (await reader.readexactly(size + 2))[:-2]
            *whole, waiting = waiting.split(b"\n\n")
            for event in whole:
                yield event

    async def _begin(self, raw: bytes) -> tuple[asyncio.StreamReader, bytes]:
        """Send a request; the answer's head, and where its body comes from."""
        if self._streams is None:
            host = "localhost" if self._address.tls else None
            self._streams = await asyncio.open_connection(
                "127.0.0.1", self._address.port, limit=1 << 20, ssl=self._address.tls, server_hostname=host
            )
        reader, writer = self._streams
        writer.write(raw)
        return reader, await reader.readuntil(b"\r\n\r\n")

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(parts)


async def send_all(address: Address, raws: Sequence[bytes], connections: int) -> Sent:
    """All requests as fast as they are answered, each connection one after the other."""
    waiting = iter(raws)
    latencies: list[float] = []
    ended_at: list[float] = []
    replies: list[Reply] = []

    async def work() -> None:
        connection = Connection(address)
        for raw in waiting:
            began = time.perf_counter()
            replies.append(await connection.exchange(raw))
            ended_at.append(time.perf_counter())
            latencies.append(ended_at[-1] - began)
        await connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(min(connections, len(raws)))))
    return Sent(time.perf_counter() - began, latencies, replies, ended_at)


class Pool:
    """Connections kept from one request to the next, as agents keep theirs; used in turn."""

    def __init__(self, address: Address, count: int) -> None:
        self._idle: asyncio.Queue[Connection] = asyncio.Queue()
        for _ in range(count):
            self._idle.put_nowait(Connection(address))

    async def exchange(self, raw: bytes) -> tuple[float, Reply]:
        """When a connection was free and the request went out, and its answer."""
        connection = await self._idle.get()
        sent_at = time.perf_counter()
        reply = await connection.exchange(raw)
        self._idle.put_nowait(connection)
        return sent_at, reply

    async def close(self) -> None:
        while not self._idle.empty():
            await self._idle.get_nowait().close()


async def send_paced(pool: Pool, raws: Sequence[bytes], seconds: float, began: float | None = None) -> Sent:
    """The requests spread over ``seconds``, each at its own chance moment, whatever the answers take: a fleet of agents
    keeps no step."""
    latencies: list[float] = []
    ended_at: list[float] = []
    replies: list[Reply] = []
    start = time.perf_counter() if began is None else began

    async def one(at: float, raw: bytes) -> None:
        await asyncio.sleep(max(0.0, start + at - time.perf_counter()))
        sent_at, reply = await pool.exchange(raw)
        replies.append(reply)
        ended_at.append(time.perf_counter())
        latencies.append(ended_at[-1] - sent_at)

    chance = random.Random(len(raws))
    moments = sorted(chance.uniform(0, seconds) for _ in raws)
    await asyncio.gather(*(one(at, raw) for at, raw in zip(moments, raws, strict=True)))
    return Sent(time.perf_counter() - start, latencies, replies, ended_at)


async def events(address: Address, path: str) -> AsyncIterator[tuple[str, bytes]]:
    """(kind, data) of each server-sent event, for as long as the caller wants more."""
    connection = Connection(address)
    async for event in connection.stream(request("GET", path)):
        lines = dict(line.partition(b": ")[::2] for line in event.split(b"\n"))
        yield lines.get(b"event", b"").decode(), lines.get(b"data", b"")


Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return uvloop.run(work)


def expect(replies: Iterable[Reply], *statuses: int, has: bytes = b"") -> None:
    """Raises BadReply where an answer is not what the measurement stands on."""
    for reply in replies:
        if reply.status not in statuses or has not in reply.body:
            raise BadReply(f"HTTP {reply.status}: {reply.body[:500]!r}")
