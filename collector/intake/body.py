"""Reading a request's body with a cap and a deadline, counted as it streams: a length header proves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
DEADLINE_SECONDS = 120.0


class BodyError(Exception):
    """The body cannot be used; ``status`` is the HTTP status to answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


SMALL_BYTES = 1 << 20
"""Always read: an agent's own request is smaller, and those who send slowly and much shall not shut it out."""
COMING_BYTES = 256 << 20


class Room:
    """Memory for the bodies that are still coming in, all together: anyone who can connect may begin one."""

    def __init__(self, limit_bytes: int = COMING_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._taken = 0

    def take(self, part: int, size: int) -> None:
        """Count a ``part`` of a body of ``size`` so far. Raises BodyError 503 where there is no more room."""
        if size > SMALL_BYTES and self._taken + part > self._limit_bytes:
            raise BodyError(503, "too much is being received at once; send again")
        self._taken += part

    def free(self, size: int) -> None:
        self._taken -= size


async def read_body(
    receive: Receive,
    limit_bytes: int,
    room: Room,
    deadline_seconds: float = DEADLINE_SECONDS,
    *,
    is_here: bool = False,
) -> bytes:
    """The whole body; ``is_here``: nobody has to be waited for. Raises BodyError: 413 past the limit, 408 past the deadline, 400 where the peer went away, 503."""
    taken = 0

    def take(part: int, size: int) -> None:
        nonlocal taken
        if size > limit_bytes:
            raise BodyError(413, f"body over {limit_bytes} bytes")
        room.take(part, size)
        taken += part

    try:
        if is_here:
            return await _read(receive, take)
        async with asyncio.timeout(deadline_seconds):
            return await _read(receive, take)
    except TimeoutError as why:
        raise BodyError(408, f"body not complete after {deadline_seconds:.0f} s") from why
    finally:
        room.free(taken)


async def _read(receive: Receive, take: Callable[[int, int], None]) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyError(400, "the sender went away before its body was complete")
        part = message.get("body", b"")
        size += len(part)
        take(len(part), size)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def send(
    reply: Send, status: int, body: bytes, content_type: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """One whole answer."""
    fixed = fixed_headers(body, content_type)
    await reply({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await reply({"type": "http.response.body", "body": body})


def fixed_headers(body: bytes, content_type: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return (b"content-type", content_type), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")


async def send_problem(reply: Send, status: int, code: str, text: str, retry_after_seconds: int = 0) -> None:
    """An error as RFC 9457 problem details."""
    body = msgspec.json.encode({"type": "about:blank", "status": status, "title": code, "detail": text, "code": code})
    extra = ((b"retry-after", b"%d" % retry_after_seconds),) if retry_after_seconds else ()
    await send(reply, status, body, b"application/problem+json", extra)
