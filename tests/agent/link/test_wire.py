"""The bytes of the link: what is written is read back, word for word, and the first version's bytes never change."""

from __future__ import annotations

import contextlib
import struct
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.link import packing, wire
from agent.link.keys import SigningKey, is_signed
from agent.link.model import (
    ABSENT,
    Loss,
    Sample,
    Series,
    loss_record,
    make_schema,
    pack_values,
    record_content_hash,
    sample_content_hash,
)
from agent.link.names import ENVELOPE_PREFIX, Limits

words = st.integers(0, 2**64 - 1)
SPECIAL = [0x7FF0000000000002, 0x7FF8000000000000, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF0000000000001, 1 << 63]


@given(st.integers(1, 8), st.integers(1, 9), st.data())
def test_columns_keep_every_bit(width: int, count: int, data: st.DataObject) -> None:
    word = words | st.sampled_from(SPECIAL)
    rows = [struct.pack(f"<{width}Q", *data.draw(st.lists(word, min_size=width, max_size=width))) for _ in range(count)]
    assert wire.decode_columns(packing.encode_columns(rows), count) == rows


def test_columns_are_series_major_and_each_word_is_xored_with_its_predecessor() -> None:
    rows = [struct.pack("<2Q", 0b1100, 7), struct.pack("<2Q", 0b1010, 7), struct.pack("<2Q", 0b1010, 1)]
    assert struct.unpack("<6Q", packing.encode_columns(rows)) == (0b1100, 0b0110, 0, 7, 0, 6)


def test_absent_is_a_word_and_other_nans_are_values() -> None:
    assert pack_values([None, float("nan"), 1.5])[:8] == ABSENT == bytes.fromhex("020000000000f07f")
    assert pack_values([float("nan")]) != ABSENT


KEY = SigningKey(bytes(range(32)))
AGENT, EPOCH = bytes(range(16)), bytes(range(8))


def envelope() -> bytes:
    schema = make_schema(
        (Series("srv1.abuja", "node_load1", 0, ()), Series("srv1.abuja", "node_cpu_seconds_total", 1, (("cpu", "0"),))),
        (("srv1.abuja", "process:sshd"),),
    )
    samples = [Sample(n, 1_790_000_000_000 + n, -3, schema.hash, pack_values([0.5 * n, 10.0, 0.0])) for n in (1, 2)]
    loss = loss_record(4, 1_790_000_000_009, -3, Loss(3, 3, "spool_full"))
    body = packing.pack_body([schema.packed], samples, [loss])
    return packing.seal(AGENT, 1, EPOCH, [1, 2, 4], body, KEY.sign)


def test_an_envelope_is_read_back_as_it_was_written() -> None:
    header_bytes, signature, body_bytes = wire.open_envelope(envelope())
    header = wire.open_header(header_bytes)
    assert (header.agent_id, header.key_no, header.epoch, header.first_seq, header.last_seq) == (AGENT, 1, EPOCH, 1, 4)
    assert is_signed(ENVELOPE_PREFIX + header_bytes + body_bytes, signature, KEY.public)
    body = wire.open_body(body_bytes, header)
    schema = wire.open_schema(body.schemas[0])
    assert [s.name for s in schema.series] == ["node_load1", "node_cpu_seconds_total"]
    assert schema.checks == (("srv1.abuja", "process:sshd"),)
    (block,) = body.blocks
    assert (block.schema_hash, block.seqs, block.offset_ms) == (schema.hash, [1, 2], [-3, -3])
    assert wire.decode_columns(block.columns, 2) == [pack_values([0.5, 10.0, 0.0]), pack_values([1.0, 10.0, 0.0])]
    record = wire.open_record(body.records[0], header)
    assert (record.kind, record.seq, record.data) == (4, 4, [[3, 3], "spool_full"])


def test_the_bytes_of_version_1_stand_still() -> None:
    """Golden: a change here is a new version number, because agents in the field speak this one for years."""
    header, signature, body = wire.open_envelope(envelope())
    assert header.hex() == "9601c410000102030405060708090a0b0c0d0e0f01c40800010203040506070104"
    content = wire.unpack_frame(body)
    assert msgspec.msgpack.decode(content) == [
        [
            msgspec.msgpack.encode(
                [
                    [
                        ["srv1.abuja", "node_load1", 0, {}],
                        ["srv1.abuja", "node_cpu_seconds_total", 1, {"cpu": "0"}],
                    ],
                    [["srv1.abuja", "process:sshd"]],
                ]
            )
        ],
        [
            [
                bytes.fromhex("1ade7e779dd796460d999f46b12d4a6a"),
                [1, 2],
                [1_790_000_000_001, 1_790_000_000_002],
                [-3, -3],
                struct.pack("<6Q", 0x3FE0000000000000, 0x0010000000000000, 0x4024000000000000, 0, 0, 0),
            ]
        ],
        [[4, 4, 1_790_000_000_009, -3, [[3, 3], "spool_full"]]],
    ]
    assert len(signature) == 64


def test_content_hashes_stand_still() -> None:
    """Against bytes written out by hand from the specification."""
    values = pack_values([1.0, None])
    packed = b"\x95\x01\xc4\x10" + b"s" * 16 + b"\x05\xff\xc4\x10" + values
    assert sample_content_hash(b"s" * 16, 5, -1, values) == sha256(packed).digest()
    record = loss_record(9, 5, 0, Loss(1, 2, "x"))
    assert record.packed == b"\x95\x04\x09\x05\x00\x92\x92\x01\x02\xa1x"
    assert record_content_hash(4, record.packed) == sha256(b"\x92\x04" + record.packed).digest()


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_no_prefix_of_an_envelope_is_one(cut: int) -> None:
    whole = envelope()
    with pytest.raises(wire.WireError) as refused:
        wire.open_envelope(whole[: min(cut, len(whole) - 1)])
    assert refused.value.code == "malformed"


@given(st.binary(max_size=300))
def test_junk_is_refused_in_words(junk: bytes) -> None:
    header = wire.Header(1, AGENT, 1, EPOCH, 1, 4)
    for read in (wire.open_envelope, wire.open_header, wire.open_request, wire.open_schema):
        with contextlib.suppress(wire.WireError):  # and nothing else
            read(junk)
    for read_under in (wire.open_body, wire.open_record):
        with pytest.raises(wire.WireError):
            read_under(junk, header)


@pytest.mark.parametrize(("size", "fits"), [(64 << 10, True), ((64 << 10) + 1, False)])
def test_unpacking_stops_at_the_limit(size: int, fits: bool) -> None:
    limits = Limits(body_unpacked_bytes=64 << 10)
    frame = wire.zstd.compress(b"x" * size)
    if fits:
        assert wire.unpack_frame(frame, limits) == b"x" * size
    else:
        with pytest.raises(wire.WireError, match="too_large"):
            wire.unpack_frame(frame, limits)


def test_a_window_over_the_limit_is_too_large() -> None:
    options = {
        wire.zstd.CompressionParameter.window_log: 27,
        wire.zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    compressor = wire.zstd.ZstdCompressor(options=options)
    frame = compressor.compress(b"x" * (1 << 20)) + compressor.flush()
    with pytest.raises(wire.WireError, match="too_large"):
        wire.unpack_frame(frame)


def test_times_and_numbers_ascend_or_are_refused() -> None:
    header = wire.Header(1, AGENT, 1, EPOCH, 1, 9)
    for seqs in ([2, 1], [1, 1]):
        block = [b"s" * 16, seqs, [1, 2], [0, 0], b"\0" * 16]
        frame = wire.zstd.compress(msgspec.msgpack.encode([[], [block], []]))
        with pytest.raises(wire.WireError, match="ascend"):
            wire.open_body(frame, header)


RECORDS = {
    "in one block": [[], [[b"s" * 16, list(range(1, 10_002)), [1] * 10_001, [0] * 10_001, b""]], []],
    "in many blocks": [[], [[b"s" * 16, [seq], [1], [0], b""] for seq in range(1, 10_002)], []],
    "as records": [[], [], [[3, seq, 1, 0, None] for seq in range(1, 10_002)]],
    "of both kinds": [
        [],
        [[b"s" * 16, list(range(1, 6_002)), [1] * 6_001, [0] * 6_001, b""]],
        [[3, seq, 1, 0, None] for seq in range(6_002, 10_002)],
    ],
    "schemas": [[b""] * 10_001, [], []],
}


@pytest.mark.parametrize("body", RECORDS.values(), ids=RECORDS.keys())
def test_an_envelope_holds_ten_thousand_records_at_most(body: list[object]) -> None:
    header = wire.Header(1, AGENT, 1, EPOCH, 1, 20_000)
    with pytest.raises(wire.WireError, match=r"10000"):
        wire.open_body(wire.zstd.compress(msgspec.msgpack.encode(body)), header)
