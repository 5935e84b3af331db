"""An agent of a later version: all that today's says, with fields behind those we know, and a kind of record nobody knows.

``spoken(..., later=False)`` says the same as today's agent would, but for the unknown record.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from sender import Sender

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from agent.link.model import Sample, Schema, encode, pack_values, schema_hash
from agent.link.names import ENVELOPE_PREFIX
from agent.link.packing import encode_columns
from agent.link.rollup import roll_up, rollup_record
from agent.link.wire import open_schema

NUMBERS = 9
"""Of one envelope: samples 1 and 2, state 3, roll-up 6 for 4 and 5, loss 8 of 7, and 9 of a later kind."""
LATER_KIND = 9
LAST_VALUE, STATE_TEXT = 2.0, "9 of 10 GB"


def spoken(sender: Sender, at_ms: int, later: bool) -> bytes:
    """One envelope with each kind of thing in it, and all that may grow grown."""
    first = sender.seq + 1
    sender.seq += NUMBERS
    schema = schema_of(sender.host, later)
    rows = [pack_values([value, 0.0]) for value in (1.0, LAST_VALUE)]
    taken = [at_ms - 1_000, at_ms]
    block = [schema.hash, [first, first + 1], taken, [0, 0], encode_columns(rows)]
    older = [Sample(first + 3 + at, at_ms - 60_000 + at, 0, schema.hash, rows[at]) for at in (0, 1)]
    rolled = rollup_record(first + 5, at_ms - 60_000, 0, roll_up(older, [False, False])).data
    records = [
        [2, first + 2, at_ms, 0, more(later, sender.host, "disk", 2, 0, STATE_TEXT)],
        [3, first + 5, at_ms - 59_999, 0, more(later, *rolled)],
        [4, first + 7, at_ms, 0, more(later, [first + 6, first + 6], "spool_full")],
        [LATER_KIND, first + 8, at_ms, 0, {"seen": [1, None]}],
    ]
    packed = encode(more(later, [schema.packed], [more(later, *block)], [more(later, *record) for record in records]))
    header = encode(more(later, 1, sender.agent_id, sender.key_no, sender.epoch, first, sender.seq))
    body = zstd.compress(packed, 3)
    return encode([header, sender.key.sign(ENVELOPE_PREFIX + header + body), body])


def schema_of(host: str, later: bool) -> Schema:
    packed = encode(more(later, [more(later, host, "node_load1", 0, {})], [more(later, host, "disk")]))
    read = open_schema(packed)
    assert read.hash == schema_hash(packed)
    return read


def more(later: bool, *fields: Any) -> list[Any]:
    return [*fields, {"of": "a later version", "deep": [1, b"x", None]}, 7] if later else list(fields)


def plainly(packed: bytes) -> Any:
    """An envelope's whole content, for messages of tests."""
    header, _, body = msgspec.msgpack.decode(packed)
    return msgspec.msgpack.decode(header), msgspec.msgpack.decode(zstd.decompress(body))
