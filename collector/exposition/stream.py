"""Sending text in chunks, compressed where the reader takes it. isal is ten times as quick as zlib for the same size."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request
from fastapi.responses import StreamingResponse
from isal import isal_zlib

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CHUNK_BYTES = 128 << 10
_GZIP = 31
"""zlib's window bits that mean a gzip wrapper."""


def stream(request: Request, chunks: AsyncIterator[bytes]) -> StreamingResponse:
    headers = {"Vary": "Accept-Encoding", "Cache-Control": "no-store"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        chunks = compressed(chunks)
    return StreamingResponse(gathered(chunks), media_type=CONTENT_TYPE, headers=headers)


async def compressed(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    squeeze = isal_zlib.compressobj(1, isal_zlib.DEFLATED, _GZIP)
    async for chunk in chunks:
        yield squeeze.compress(chunk)
    yield squeeze.flush()


async def gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in fewer, larger pieces."""
    waiting: list[bytes] = []
    size = 0
    async for chunk in chunks:
        waiting.append(chunk)
        size += len(chunk)
        if size >= CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
