"""Roll-ups: what stands for many samples when the spool has no room for all of them (docs/protocol.md, "Roll-up").

Of each column: how many values, and the last. Of those that are no counters also the smallest, the largest and the sum;
of counters, how often they fell back. The absent word is no value. A NaN counts and may be the last, but is neither
smallest nor largest nor summed; where nothing is left to say, the word is absent. Roll-ups of the same schema can be
put together, so five minutes become an hour by the same rules. Pure.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise
from operator import lt
from typing import NamedTuple

import msgspec

from agent.link.model import ABSENT, MAX_INT, Record, Sample, encode, pack_values
from agent.link.names import ABSENT_WORD, COUNTER, KIND_ROLLUP
from agent.link.ranges import Ranges

WORD = 8


class RollUp(NamedTuple):
    """Data of kind 3. Words are float64, little-endian: ``last`` and ``counts`` of every column of the schema, ``low``,
    ``high`` and ``total`` of those that are no counters, ``resets`` of the counters, each in the schema's order.

    ``replaces``: the numbers it stands for. ``began_ms`` and ``ended_ms``: when its first and last sample were taken,
    corrected by their offsets.
    """

    replaces: Ranges
    schema_hash: bytes
    began_ms: int
    ended_ms: int
    last: bytes
    counts: bytes
    low: bytes
    high: bytes
    total: bytes
    resets: bytes


def counters_of(packed_schema: bytes) -> list[bool]:
    """Which columns of a packed schema are counters: series, then checks, which are none."""
    series, checks = msgspec.msgpack.decode(packed_schema)[:2]
    return [one[2] == COUNTER for one in series] + [False] * len(checks)


# ---------------------------------------------------------------- making


def roll_up(samples: Sequence[Sample], counters: Sequence[bool], before: bytes = b"") -> RollUp:
    """Of samples of one schema in the order of their numbers, at least one.

    ``before``: the values of the sample before the first, where they are known: a counter may have fallen between.
    """
    kept: list[list[float]] = [[] for _ in counters]
    if any(ABSENT in sample.values for sample in samples):
        for sample in samples:
            for column, value in zip(kept, _values(sample.values), strict=True):
                if value is not None:
                    column.append(value)
        last = _last_words([sample.values for sample in samples], len(counters))
    else:
        kept = [list(column) for column in zip(*(_floats(sample.values) for sample in samples), strict=True)]
        last = samples[-1].values
    low, high, total, resets = _of_columns(kept, counters, _values(before) if before else [None] * len(counters))
    replaces = Ranges((sample.seq, sample.seq) for sample in samples)
    times = [sample.taken_at_ms + sample.offset_ms for sample in samples]
    count = pack_values([float(len(column)) for column in kept])
    return RollUp(
        replaces, samples[0].schema_hash, min(times), max(times), last, count, low, high, total, resets
    )  # fmt: skip


def merge(parts: Sequence[RollUp], counters: Sequence[bool]) -> RollUp:
    """Roll-ups of one schema in the order of time as one. Its ``replaces`` are theirs; their own numbers come on top."""
    counts = [sum(column) for column in zip(*(_floats(part.counts) for part in parts), strict=True)]
    falls = [sum(column) for column in zip(*(_floats(part.resets) for part in parts), strict=True)]
    at = 0
    lasts = [_values(part.last) for part in parts]
    resets = [_floats(part.resets) for part in parts]
    for column, is_counter in enumerate(counters):
        if is_counter:
            known = [
                (row[column], fell[at]) for row, fell in zip(lasts, resets, strict=True) if row[column] is not None
            ]
            # Between two roll-ups, where the later one did not know the value before its first.
            falls[at] += sum(b < a and not fell for (a, _), (b, fell) in pairwise(known))  # type: ignore[operator]
            at += 1
    return RollUp(
        Ranges(sorted(span for part in parts for span in part.replaces)),
        parts[0].schema_hash,
        min(part.began_ms for part in parts),
        max(part.ended_ms for part in parts),
        _last_words([part.last for part in parts], len(counters)),
        pack_values(list(counts)),
        _over([part.low for part in parts], min),
        _over([part.high for part in parts], max),
        _over([part.total for part in parts], sum),
        pack_values([float(fell) for fell in falls]),
    )


def _of_columns(
    kept: Sequence[Sequence[float]], counters: Sequence[bool], before: Sequence[float | None]
) -> tuple[bytes, bytes, bytes, bytes]:
    low: list[float | None] = []
    high: list[float | None] = []
    total: list[float | None] = []
    resets: list[float | None] = []
    for values, is_counter, earlier in zip(kept, counters, before, strict=True):
        if is_counter:
            fell = sum(map(lt, values[1:], values))
            resets.append(float(fell + bool(earlier is not None and values and values[0] < earlier)))
            continue
        summed = sum(values)
        numbers = values if summed == summed else [value for value in values if value == value]  # all but NaN
        low.append(min(numbers, default=None))
        high.append(max(numbers, default=None))
        total.append(float(sum(numbers)) if numbers else None)
    return pack_values(low), pack_values(high), pack_values(total), pack_values(resets)


def _over(rows: Sequence[bytes], how) -> bytes:  # type: ignore[no-untyped-def]
    columns = zip(*map(_values, rows), strict=True)
    kept = [[value for value in column if value is not None] for column in columns]
    return pack_values([float(how(values)) if values else None for values in kept])


def _last_words(rows: Sequence[bytes], width: int) -> bytes:
    """Of each column the last word that is a value; moved as bytes, never through arithmetic."""
    words = [ABSENT] * width
    for row in rows:
        for column in range(width):
            word = row[column * WORD : column * WORD + WORD]
            if word != ABSENT:
                words[column] = word
    return b"".join(words)


def _floats(words: bytes) -> array[float]:
    """Absent words become some NaN."""
    values = array("d", words)
    if array("H", b"\1\0")[0] != 1:
        values.byteswap()
    return values


def _values(words: bytes) -> list[float | None]:
    """None where the word is absent."""
    found: list[float | None] = list(_floats(words))
    if ABSENT in words:
        for column in range(len(found)):
            if int.from_bytes(words[column * WORD : column * WORD + WORD], "little") == ABSENT_WORD:
                found[column] = None
    return found


# ---------------------------------------------------------------- as a record


def rollup_record(seq: int, taken_at_ms: int, offset_ms: int, rollup: RollUp) -> Record:
    spans = rollup.replaces.as_lists()
    data = [[spans[0][0], spans[-1][1]], *rollup[1:], spans]
    packed = encode([KIND_ROLLUP, seq, taken_at_ms, offset_ms, data])
    return Record(KIND_ROLLUP, seq, taken_at_ms, offset_ms, data, packed)


def rollup_of(record: Sample | Record) -> RollUp | None:
    """What a roll-up record says, None for every other record. Raises ValueError where it is none by its shape."""
    if isinstance(record, Sample) or record.kind != KIND_ROLLUP:
        return None
    try:
        (first, last), schema_hash, began_ms, ended_ms, *words = record.data[:10]
        replaces = Ranges(record.data[10] if len(record.data) > 10 else [(first, last)])
        spans = replaces.as_lists()
    except (TypeError, ValueError, IndexError) as why:
        raise ValueError(f"roll-up {record.seq}: {why}") from why
    is_whole = (
        [spans[0][0], spans[-1][1]] == [first, last] if spans else False,
        isinstance(schema_hash, bytes) and len(schema_hash) == 16,
        isinstance(began_ms, int) and isinstance(ended_ms, int) and -MAX_INT < began_ms <= ended_ms < MAX_INT,
        len(words) == 6 and all(isinstance(one, bytes) and len(one) % WORD == 0 for one in words),
    )
    if not all(is_whole):
        raise ValueError(
            f"roll-up {record.seq}: expected [[first, last], schema hash, times, six byte strings, ranges]"
        )
    rollup = RollUp(replaces, schema_hash, began_ms, ended_ms, *words)
    sizes = {len(rollup.low), len(rollup.high), len(rollup.total)}
    if (
        len(rollup.last) != len(rollup.counts)
        or len(sizes) > 1
        or len(rollup.low) + len(rollup.resets) != len(rollup.last)
    ):
        raise ValueError(f"roll-up {record.seq}: its byte strings do not fit together")
    return rollup


def renumbered(record: Record, seq: int, first: int) -> Record:
    """The same roll-up under another number, standing for as many numbers from ``first`` on (a new epoch)."""
    rollup = rollup_of(record)
    assert rollup is not None
    stands_for = Ranges([(first, first + rollup.replaces.count - 1)])
    return rollup_record(seq, record.taken_at_ms, record.offset_ms, rollup._replace(replaces=stands_for))
