"""What travels: schemas and records, as values and as MessagePack (docs/protocol.md, "Records").

A *schema* names the columns of a report once: series, then checks. A *sample* is one row of float64 words under a
schema. A *state* is one change of one check. A *loss* says which numbers will never come. Each record has a name
(agent, epoch, seq) for ever and a content hash, which stays the same however records are regrouped.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from typing import Any, NamedTuple

import msgspec

from agent.link.names import ABSENT_WORD, KIND_LOSS, KIND_SAMPLE, KIND_STATE

Labels = tuple[tuple[str, str], ...]
_encoder = msgspec.msgpack.Encoder()
encode = _encoder.encode
ABSENT = ABSENT_WORD.to_bytes(8, "little")
MAX_INT = 1 << 53
"""Sequence numbers and times are below this, so that JSON and float64 readers keep them exact."""


class Series(NamedTuple):
    """One column of numbers: ``type`` 0 gauge, 1 counter, 2 untyped."""

    host: str
    name: str
    type: int
    labels: Labels


class Schema(NamedTuple):
    """Columns of a sample: S series, then C checks; ``hash`` is the first 16 bytes of SHA-256 over ``packed``."""

    series: tuple[Series, ...]
    checks: tuple[tuple[str, str], ...]
    packed: bytes
    hash: bytes

    @property
    def width(self) -> int:
        return len(self.series) + len(self.checks)


def schema_hash(packed: bytes) -> bytes:
    return hashlib.sha256(packed).digest()[:16]


def make_schema(series: tuple[Series, ...], checks: tuple[tuple[str, str], ...]) -> Schema:
    """A schema as an agent sends it: labels as a map, in the order given."""
    packed = encode([[[s.host, s.name, s.type, dict(s.labels)] for s in series], [list(check) for check in checks]])
    return Schema(series, checks, packed, schema_hash(packed))


class Sample(NamedTuple):
    """One instant under a schema. ``values``: S+C float64 words, little-endian; absent = ``ABSENT``."""

    seq: int
    taken_at_ms: int
    offset_ms: int
    schema_hash: bytes
    values: bytes


class Record(NamedTuple):
    """Any other kind: ``packed`` is the MessagePack of ``[kind, seq, taken_at_ms, offset_ms, data, …]`` as it travels."""

    kind: int
    seq: int
    taken_at_ms: int
    offset_ms: int
    data: Any
    packed: bytes


class StateChange(NamedTuple):
    """Data of kind 2: a check went from ``previous`` to ``state`` (0-3; previous -1 = first result)."""

    host: str
    check: str
    state: int
    previous: int
    text: str


class Loss(NamedTuple):
    """Data of kind 4: the numbers ``first..last`` will never come, and why (``spool_full``, ``corrupt``, ``refused``)."""

    first: int
    last: int
    reason: str


def state_record(seq: int, taken_at_ms: int, offset_ms: int, change: StateChange) -> Record:
    data = list(change)
    return Record(
        KIND_STATE, seq, taken_at_ms, offset_ms, data, encode([KIND_STATE, seq, taken_at_ms, offset_ms, data])
    )


def loss_record(seq: int, taken_at_ms: int, offset_ms: int, loss: Loss) -> Record:
    data = [[loss.first, loss.last], loss.reason]
    return Record(KIND_LOSS, seq, taken_at_ms, offset_ms, data, encode([KIND_LOSS, seq, taken_at_ms, offset_ms, data]))


def sample_content_hash(schema: bytes, taken_at_ms: int, offset_ms: int, values: bytes) -> bytes:
    """SHA-256 over ``[1, schema_hash, taken_at_ms, offset_ms, values]``, the identity of what a sample says."""
    return hashlib.sha256(encode((KIND_SAMPLE, schema, taken_at_ms, offset_ms, values))).digest()


def record_content_hash(kind: int, packed: bytes) -> bytes:
    """SHA-256 over ``[kind, record]`` with the record's own bytes, for every kind but sample."""
    return hashlib.sha256(encode((kind, msgspec.Raw(packed)))).digest()


def pack_values(values: list[float | None]) -> bytes:
    """Float64 words, little-endian; None becomes the absent word."""
    if None not in values:
        return _little_endian(array("d", values)).tobytes()  # type: ignore[arg-type]
    return b"".join(ABSENT if value is None else _little_endian(array("d", (value,))).tobytes() for value in values)


def _little_endian(values: array[float]) -> array[float]:
    if sys.byteorder == "big":
        values.byteswap()
    return values
