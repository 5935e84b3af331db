"""Envelope and body out of bytes (docs/protocol.md, "Envelope"); ``agent.link.packing`` makes them.

An envelope is MessagePack ``[header, signature, body]``; the body is one zstd frame of ``[schemas, blocks, records]``.
Everything here assumes a hostile sender: sizes are bounded before memory is taken, trailing bytes are refused before
anything is believed, and every refusal is a ``WireError`` with a code of the contract and a sentence.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from agent.link.model import MAX_INT, Labels, Record, Schema, Series, schema_hash
from agent.link.names import ENVELOPE_RECORDS, KIND_SAMPLE, Limits

T = TypeVar("T")
VERSION = 1
LIMITS = Limits()


class WireError(Exception):
    """A peer's bytes were refused. ``code`` is one of the contract: malformed, bad_signature, too_large, bad_labels."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Header(msgspec.Struct, array_like=True, frozen=True):
    version: int
    agent_id: bytes
    key_no: int
    epoch: bytes
    first_seq: int
    last_seq: int


_FEW = msgspec.Meta(max_length=ENVELOPE_RECORDS)


class Block(msgspec.Struct, array_like=True, frozen=True):
    """Samples under one schema: T sequence numbers, times and offsets; ``columns`` is 8·S·T bytes, series-major."""

    schema_hash: bytes
    seqs: Annotated[list[int], _FEW]
    taken_at_ms: Annotated[list[int], _FEW]
    offset_ms: Annotated[list[int], _FEW]
    columns: bytes


class Body(NamedTuple):
    schemas: list[bytes]
    blocks: list[Block]
    records: list[msgspec.Raw]


class _BodyHead(msgspec.Struct, array_like=True, frozen=True):
    schemas: Annotated[list[bytes], _FEW]
    blocks: Annotated[list[msgspec.Raw], _FEW]
    records: Annotated[list[msgspec.Raw], _FEW]


class _RecordHead(msgspec.Struct, array_like=True, frozen=True):
    kind: int
    seq: int
    taken_at_ms: int
    offset_ms: int
    data: Any


class _SeriesHead(msgspec.Struct, array_like=True, frozen=True):
    host: str
    name: str
    type: int
    labels: dict[str, str]


class _CheckHead(msgspec.Struct, array_like=True, frozen=True):
    host: str
    name: str


class _SchemaHead(msgspec.Struct, array_like=True, frozen=True):
    series: list[_SeriesHead]
    checks: list[_CheckHead]


Envelope = tuple[bytes, bytes, bytes]
"""(header, signature, body) as received."""

_decode_envelope = msgspec.msgpack.Decoder(Envelope).decode
_decode_many = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_decode_header = msgspec.msgpack.Decoder(Header).decode
_decode_body = msgspec.msgpack.Decoder(_BodyHead).decode
_decode_block = msgspec.msgpack.Decoder(Block).decode
_decode_record = msgspec.msgpack.Decoder(_RecordHead).decode
_decode_schema = msgspec.msgpack.Decoder(_SchemaHead).decode
_BAD = (msgspec.MsgspecError, RecursionError, ValueError)


def _read(decode: Callable[[Any], T], packed: bytes | msgspec.Raw, what: str) -> T:
    try:
        return decode(packed)
    except _BAD as why:
        raise WireError("malformed", f"{what}: {why}") from why


def open_request(body: bytes) -> list[msgspec.Raw]:
    """The envelopes of a request, each still packed. Raises WireError."""
    try:
        return _decode_many(body)
    except _BAD as why:
        raise WireError("malformed", f"expected one MessagePack array of envelopes: {why}") from why


def open_envelope(packed: bytes | msgspec.Raw) -> Envelope:
    """(header, signature, body). Raises WireError."""
    try:
        envelope: Envelope = _decode_envelope(packed)
    except _BAD as why:
        raise WireError("malformed", f"expected [header, signature, body] as three byte strings: {why}") from why
    return envelope


def open_header(header: bytes, limits: Limits = LIMITS) -> Header:
    """The header, with the shapes of its fields checked. Raises WireError."""
    if len(header) > limits.header_bytes:
        raise WireError("too_large", f"header of {len(header)} bytes: expected at most {limits.header_bytes}")
    try:
        opened = _decode_header(header)
    except _BAD as why:
        raise WireError("malformed", f"header: {why}") from why
    if opened.version != VERSION:
        raise WireError("malformed", f"envelope version {opened.version}: expected {VERSION}")
    if len(opened.agent_id) != 16 or len(opened.epoch) != 8:
        raise WireError("malformed", "header: expected an agent id of 16 bytes and an epoch of 8")
    if not 1 <= opened.first_seq <= opened.last_seq <= MAX_INT:
        raise WireError("malformed", f"header: sequence numbers {opened.first_seq}..{opened.last_seq}")
    return opened


def unpack_frame(body: bytes, limits: Limits = LIMITS) -> bytes:
    """The content of exactly one zstd frame, never more than the limit in memory. Raises WireError."""
    if len(body) > limits.body_packed_bytes:
        raise WireError("too_large", f"body of {len(body)} bytes: expected at most {limits.body_packed_bytes}")
    frame = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: limits.window_log})
    try:
        # Given room for just what the frame says it holds, zstd writes straight into it, without a window of its own.
        size = zstd.get_frame_info(body).decompressed_size
        room = limits.body_unpacked_bytes if size is None else max(1, min(size, limits.body_unpacked_bytes))
        content = frame.decompress(body, max_length=room)
    except zstd.ZstdError as why:
        code = "too_large" if "memory" in str(why) or "window" in str(why).lower() else "malformed"
        raise WireError(code, f"body: {why}") from why
    if not frame.eof:
        if len(content) >= limits.body_unpacked_bytes:
            raise WireError("too_large", f"body unpacks past {limits.body_unpacked_bytes} bytes")
        raise WireError("malformed", "body: the zstd frame is cut short")
    if frame.unused_data:
        raise WireError("malformed", "body: bytes after the zstd frame")
    return content


def open_body(body: bytes, header: Header, limits: Limits = LIMITS) -> Body:
    """The body with every sequence number and time inside its bounds. Raises WireError.

    Column sizes are checked against the schema later (``check_columns``), because the schema may not be here yet.
    """
    opened = _read(_decode_body, unpack_frame(body, limits), "body")
    blocks: list[Block] = []
    room = ENVELOPE_RECORDS - len(opened.records)
    for raw in opened.blocks:
        blocks.append(block := _read(_decode_block, raw, "block"))
        count = len(block.seqs)
        if (room := room - count) < 0:
            raise WireError("too_large", f"more than {ENVELOPE_RECORDS} records in one envelope")
        if (
            len(block.schema_hash) != 16
            or not count
            or len(block.taken_at_ms) != count
            or len(block.offset_ms) != count
        ):
            raise WireError(
                "malformed", "block: expected a 16-byte schema hash and three equally long, non-empty arrays"
            )
        if block.seqs[0] < header.first_seq or block.seqs[-1] > header.last_seq:
            raise WireError("malformed", f"block: a sequence number outside {header.first_seq}..{header.last_seq}")
        if count > 1 and any(a >= b for a, b in zip(block.seqs, block.seqs[1:], strict=False)):
            raise WireError("malformed", "block: sequence numbers must ascend")
        if len(block.columns) % (8 * count):
            raise WireError("malformed", f"block: {len(block.columns)} bytes of columns for {count} instants")
        for times in (block.taken_at_ms, block.offset_ms):
            if max(times) > MAX_INT or min(times) < -MAX_INT:
                raise WireError("malformed", "block: a time beyond 2^53 ms")
    return Body(opened.schemas, blocks, opened.records)


def open_record(raw: bytes | msgspec.Raw, header: Header) -> Record:
    """One record of kind 2, 3, 4 or a later kind; trailing fields stay in ``packed``. Raises WireError."""
    head = _read(_decode_record, raw, "record")
    if head.kind == KIND_SAMPLE or not header.first_seq <= head.seq <= header.last_seq:
        raise WireError(
            "malformed",
            f"record of kind {head.kind}, number {head.seq}: not in {header.first_seq}..{header.last_seq}",
        )
    if abs(head.taken_at_ms) > MAX_INT or abs(head.offset_ms) > MAX_INT:
        raise WireError("malformed", "record: a time beyond 2^53 ms")
    return Record(head.kind, head.seq, head.taken_at_ms, head.offset_ms, head.data, bytes(raw))


def open_schema(packed: bytes, limits: Limits = LIMITS) -> Schema:
    """The columns a schema names; names and labels are judged elsewhere. Raises WireError."""
    if len(packed) > limits.schema_bytes and len(packed) > limits.body_unpacked_bytes:
        raise WireError("too_large", f"schema of {len(packed)} bytes")
    opened = _read(_decode_schema, packed, "schema")
    series = tuple(Series(s.host, s.name, s.type, _label_pairs(s.labels)) for s in opened.series)
    return Schema(series, tuple((c.host, c.name) for c in opened.checks), packed, schema_hash(packed))


def _label_pairs(labels: dict[str, str]) -> Labels:
    return tuple(labels.items())


def decode_columns(columns: bytes, count: int) -> list[bytes]:
    """Series-major XOR columns -> one row of words per instant (the agent's twin of the collector's numpy reading)."""
    if count == 1:
        return [columns]
    words = array("Q", columns)
    width = len(words) // count
    for start in range(0, len(words), count):
        for at in range(start + 1, start + count):
            words[at] ^= words[at - 1]
    return [array("Q", (words[column * count + at] for column in range(width))).tobytes() for at in range(count)]
