"""A segment is read back as far as it is whole, and damage costs only the records it touches."""

from __future__ import annotations

from agent.link.segment import (
    HEADER_BYTES,
    Frame,
    SegmentHeader,
    open_header,
    pack_frame,
    pack_header,
    scan,
    segment_seed,
)

SEED = segment_seed(b"e" * 8, "0000000000000001-samples-0.seg")
FRAMES = [Frame(n, 1 + n % 2, 1_000 * n, -n, bytes([n]) * (7 * n)) for n in range(1, 12)]
HEADER = pack_header(SegmentHeader(b"a" * 16, b"e" * 8, 1, 5, SEED))
PACKED = [pack_frame(frame, SEED) for frame in FRAMES]
WHOLE = HEADER + b"".join(PACKED)
ENDS = [HEADER_BYTES + sum(map(len, PACKED[: n + 1])) for n in range(len(PACKED))]


def test_header_round_trip_and_damage():
    assert open_header(WHOLE) == SegmentHeader(b"a" * 16, b"e" * 8, 1, 5, SEED)
    assert all(open_header(WHOLE[:n]) is None for n in range(HEADER_BYTES))
    assert open_header(b"x" + WHOLE[1:]) is None


def test_whole_segment_is_read_back():
    seen = scan(WHOLE, SEED)
    assert (seen.frames, seen.bad, seen.torn_at) == (FRAMES, [], len(WHOLE))


def test_every_prefix_gives_the_whole_records_before_the_cut():
    for cut in range(len(WHOLE) + 1):
        whole = [frame for frame, end in zip(FRAMES, ENDS, strict=True) if end <= cut]
        seen = scan(WHOLE[:cut], SEED)
        assert seen.frames == whole
        if cut > HEADER_BYTES:
            assert seen.torn_at == max([HEADER_BYTES, *(end for end in ENDS if end <= cut)])


def test_every_single_flipped_bit_costs_one_record_at_most():
    for at in range(HEADER_BYTES * 8, len(WHOLE) * 8, 3):
        damaged = bytearray(WHOLE)
        damaged[at // 8] ^= 1 << (at % 8)
        seen = scan(bytes(damaged), SEED)
        hit = next(n for n, end in enumerate(ENDS) if at // 8 < end)
        assert seen.frames == FRAMES[:hit] + FRAMES[hit + 1 :]
        assert len(seen.bad) == 1


def test_records_of_another_segment_are_not_believed():
    other = segment_seed(b"e" * 8, "0000000000000009-samples-0.seg")
    assert scan(WHOLE, other).frames == []
