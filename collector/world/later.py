"""Agents of a later version: what they send has fields behind those we know, everywhere the protocol lets it grow.

The product's sender makes an envelope; on its way out the agent itself says more in it and seals it anew. The same record
always gets the same fields, so that a retry is the same record. Schemas stay, for their hash is their name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import msgspec

from agent.link.exchange import Exchange, Failure, Request, Response
from agent.link.keys import SigningKey
from agent.link.model import encode
from agent.link.names import ENVELOPE_PREFIX
from agent.link.packing import pack_envelopes
from agent.link.send_request import ENVELOPES_PATH
from agent.link.wire import open_envelope, open_request

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MORE = ({"of": "a later version", "deep": [1, None]}, 7)
_decode = msgspec.msgpack.Decoder().decode


class LaterVoice:
    """The exchange port of an agent of a later version; ``key_of`` an agent's id is what it seals with."""

    def __init__(self, exchange: Exchange, key_of: Callable[[bytes], SigningKey]) -> None:
        self._exchange = exchange
        self._key_of = key_of

    def __call__(self, request: Request) -> Response | Failure:
        if request.path == ENVELOPES_PATH:
            said = [self._said(bytes(raw)) for raw in open_request(request.body)]
            request = request._replace(body=pack_envelopes(said))
        return self._exchange(request)

    def _said(self, packed: bytes) -> bytes:
        header, _, body = open_envelope(packed)
        known: list[Any] = _decode(header)
        schemas, blocks, records = _decode(zstd.decompress(body))
        content = [schemas, [[*block, *MORE] for block in blocks], [_grown(record) for record in records], *MORE]
        header, body = encode([*known, *MORE]), zstd.compress(encode(content), 3)
        return encode((header, self._key_of(known[1]).sign(ENVELOPE_PREFIX + header + body), body))


def _grown(record: list[Any]) -> list[Any]:
    kind, seq, taken_at_ms, offset_ms, data = record[:5]
    return [kind, seq, taken_at_ms, offset_ms, [*data, *MORE], *record[5:], *MORE]
