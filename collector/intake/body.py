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


async def read_body(receive: Receive, limit_bytes: int, deadline_seconds: float = DEADLINE_SECONDS) -> bytes:
    """The whole body. Raises BodyError: 413 past the limit, 408 past the deadline, 400 where the peer went away."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(deadline_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BodyError(400, "the sender went away before its body was complete")
                part = message.get("body", b"")
                size += len(part)
                if size > limit_bytes:
                    raise BodyError(413, f"body over {limit_bytes} bytes")
                parts.append(part)
                if not message.get("more_body", False):
                    return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError as why:
        raise BodyError(408, f"body not complete after {deadline_seconds:.0f} s") from why


async def send(
    reply: Send, status: int, body: bytes, content_type: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """One whole answer."""
    fixed = ((b"content-type", content_type), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store"))
    await reply({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await reply({"type": "http.response.body", "body": body})


async def send_problem(reply: Send, status: int, code: str, text: str, retry_after_seconds: int = 0) -> None:
    """An error as RFC 9457 problem details."""
    body = msgspec.json.encode({"type": "about:blank", "status": status, "title": code, "detail": text, "code": code})
    extra = ((b"retry-after", b"%d" % retry_after_seconds),) if retry_after_seconds else ()
    await send(reply, status, body, b"application/problem+json", extra)
