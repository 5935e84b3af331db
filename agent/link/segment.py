"""One segment of the spool as bytes (docs/protocol.md, "Spool").

    header  = magic 8 | version u8 | agent id 16 | epoch 8 | first seq u64 | created i64 ms | seed u32 | crc32 u32
    record  = length u32 | crc32 u32 | seq u64 | kind u8 | taken_at i64 ms | offset i64 ms | payload

All little-endian; ``length`` is the payload's. The checksum starts from the segment's seed, which is made of its
epoch and name: a block of another file that a file system put here by mistake is not mistaken for a record.
A schema is a record of kind 0 and number 0 in each segment that uses it, so that a segment decodes by itself.

``scan`` never raises: what it cannot read it reports as bad and goes on at the next whole record.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

import msgspec

from agent.link.model import Record, Sample
from agent.link.names import KIND_SAMPLE

MAGIC = b"BONGSEG\x01"
VERSION = 1
KIND_SCHEMA = 0
HIGHEST_KIND = 31
MAX_PAYLOAD_BYTES = 1 << 20
_HEADER = struct.Struct("<8sB16s8sQqI")
_HEAD = struct.Struct("<II")
_FIXED = struct.Struct("<QBqq")
_WHOLE = struct.Struct("<IIQB")
_CRC = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _CRC.size
RECORD_BYTES = _HEAD.size + _FIXED.size


class SegmentHeader(NamedTuple):
    agent_id: bytes
    epoch: bytes
    first_seq: int
    created_ms: int
    seed: int


class Frame(NamedTuple):
    """One record of a segment. Payload: sample = schema hash ‖ values; schema = its packed bytes; else as it travels."""

    seq: int
    kind: int
    taken_at_ms: int
    offset_ms: int
    payload: bytes


class Scan(NamedTuple):
    """What a segment holds. ``bad`` are byte ranges that are no record; ``torn_at`` is where the last one runs to the
    end of the file (it may be a write that a power cut left half done), or the file's size.
    """

    frames: list[Frame]
    bad: list[tuple[int, int]]
    torn_at: int


def segment_seed(epoch: bytes, name: str) -> int:
    return crc32(epoch + name.encode())


def pack_header(header: SegmentHeader) -> bytes:
    packed = _HEADER.pack(MAGIC, VERSION, *header)
    return packed + _CRC.pack(crc32(packed))


def open_header(data: bytes) -> SegmentHeader | None:
    """The header, None where it is not one of ours or is damaged."""
    if len(data) < HEADER_BYTES or crc32(data[: _HEADER.size]) != _CRC.unpack_from(data, _HEADER.size)[0]:
        return None
    magic, version, *fields = _HEADER.unpack_from(data)
    return SegmentHeader(*fields) if magic == MAGIC and version == VERSION else None


def pack_frame(frame: Frame, seed: int) -> bytes:
    if len(frame.payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"record of {len(frame.payload)} bytes: expected at most {MAX_PAYLOAD_BYTES}")
    length = len(frame.payload).to_bytes(4, "little")
    body = _FIXED.pack(frame.seq, frame.kind, frame.taken_at_ms, frame.offset_ms) + frame.payload
    return length + _CRC.pack(crc32(body, crc32(length, seed))) + body


def frame_at(data: bytes, at: int, seed: int) -> tuple[Frame, int] | None:
    """The record that begins at ``at`` and where it ends; None where there is no whole, true record."""
    if at + RECORD_BYTES > len(data):
        return None
    length, checksum, _, kind = _WHOLE.unpack_from(data, at)  # judged before the checksum is worth its cost
    end = at + RECORD_BYTES + length
    if length > MAX_PAYLOAD_BYTES or kind > HIGHEST_KIND or end > len(data):
        return None
    body = data[at + _HEAD.size : end]
    if crc32(body, crc32(data[at : at + 4], seed)) != checksum:
        return None
    seq, kind, taken_at_ms, offset_ms = _FIXED.unpack_from(body)
    return Frame(seq, kind, taken_at_ms, offset_ms, body[_FIXED.size :]), end


def scan(data: bytes, seed: int) -> Scan:
    frames: list[Frame] = []
    bad: list[tuple[int, int]] = []
    at = min(HEADER_BYTES, len(data))
    torn_at = len(data)
    while at < len(data):
        found = frame_at(data, at, seed)
        if found is not None:
            frames.append(found[0])
            at = found[1]
            continue
        resumed = _next_record(data, at, seed)
        bad.append((at, resumed))
        if resumed == len(data):
            torn_at = at
        at = resumed
    return Scan(frames, bad, torn_at)


def _next_record(data: bytes, at: int, seed: int) -> int:
    """Where the next whole record begins after a bad place: behind the bad record if its length is true, else sought."""
    for start in _candidates(data, at):
        if frame_at(data, start, seed) is not None:
            return start
    return len(data)


def _candidates(data: bytes, at: int) -> Iterator[int]:
    if at + RECORD_BYTES <= len(data):
        behind = at + RECORD_BYTES + _CRC.unpack_from(data, at)[0]
        if behind < len(data):
            yield behind
    yield from range(at + 1, len(data) - RECORD_BYTES + 1)


def frame_of(record: Sample | Record) -> Frame:
    if isinstance(record, Sample):
        payload = record.schema_hash + record.values
        return Frame(record.seq, KIND_SAMPLE, record.taken_at_ms, record.offset_ms, payload)
    return Frame(record.seq, record.kind, record.taken_at_ms, record.offset_ms, record.packed)


def record_of(frame: Frame) -> Sample | Record:
    seq, kind, taken_at_ms, offset_ms, payload = frame
    if kind == KIND_SAMPLE:
        return Sample(seq, taken_at_ms, offset_ms, payload[:16], payload[16:])
    return Record(kind, seq, taken_at_ms, offset_ms, msgspec.msgpack.decode(payload)[4], payload)
