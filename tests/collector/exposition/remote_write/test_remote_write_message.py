"""What goes on the wire, read back with the messages: labels in order, samples in order, every word bit for bit."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
import snappy

from agent.link.names import ABSENT_WORD
from collector.exposition.remote_write.batch import Batch, Piece
from collector.exposition.remote_write.labels import LabelBytes, host_bytes, shown
from collector.exposition.remote_write.message import TimeSeries, WriteRequest

HOST = {"agency": "mofa", "hub": "mea", "site": "abuja", "instance": "srv1.abuja"}
AT = 1_790_000_000_000


def read(series: bytes) -> list[tuple[str, str]]:
    return [(label.name, label.value) for label in TimeSeries.FromString(series).labels]


@pytest.mark.parametrize(
    "own",
    [
        {"__name__": "up", "job": "node"},
        {"__name__": "bongsu_check_state", "check": "disk /var"},
        {"__name__": "x", "Zone": "1", "a": "2", "b": "3", "host": "4", "hubs": "5", "inst": "6", "zone": "7"},
        {"__name__": "x", "device": 'quote " newline \n backslash \\', "이름": "값", "job": "node"},
    ],
)
@pytest.mark.parametrize("host", [HOST, {**HOST, "hub": ""}])
def test_labels_are_sorted_and_stamped(own: dict[str, str], host: dict[str, str]) -> None:
    column = tuple(sorted(own.items()))
    labels = LabelBytes()
    expected = sorted((own | {name: value for name, value in host.items() if value}).items())
    for _ in range(2):  # encoded, then from what was kept
        assert read(labels.series(column, host_bytes(host))) == expected


def test_a_series_as_people_write_it() -> None:
    series = LabelBytes().series((("__name__", "node_load1"), ("job", "node")), host_bytes({**HOST, "hub": ""}))
    assert shown(series) == 'node_load1{agency="mofa", instance="srv1.abuja", job="node", site="abuja"}'


def batch_of(rows: list[tuple[int, int, int, int]], series: int = 3) -> Batch:
    """Rows of (time, host, series, word) in a batch's order."""
    columns = list(zip(*rows, strict=True))
    encoded = [LabelBytes().series((("__name__", f"m{at}"),), host_bytes(HOST)) for at in range(series)]
    times, hosts, numbers = (np.array(columns[at], np.int64) for at in range(3))
    return Batch(encoded, numbers, hosts, times, np.array(columns[3], np.uint64))


def word(value: float) -> int:
    return int(np.float64(value).view(np.uint64))


def test_each_series_once_with_its_samples_in_order_of_time() -> None:
    rows = [(AT + at, 0, number, word(10 * number + at)) for at in range(3) for number in range(3)]
    batch = batch_of(rows)
    request = WriteRequest.FromString(snappy.decompress(batch.encoded(Piece(0, 9))))
    assert [[(s.timestamp, s.value) for s in one.samples] for one in request.timeseries] == [
        [(AT + at, 10 * number + at) for at in range(3)] for number in range(3)
    ]
    some = WriteRequest.FromString(batch.message(Piece(4, 7)))
    assert [
        ({label.name: label.value for label in one.labels}["__name__"], [s.value for s in one.samples])
        for one in some.timeseries
    ] == [("m0", [2]), ("m1", [11]), ("m2", [21])]


def test_every_word_stays_as_it_is() -> None:
    words = [ABSENT_WORD, word(math.nan), 0x7FF8000000000123, word(math.inf), word(-0.0), word(5e-324), word(0.1)]
    batch = batch_of([(AT + at, 0, 0, one) for at, one in enumerate(words)], series=1)
    message = batch.message(Piece(0, len(words)))
    for one in words:
        assert b"\x09" + struct.pack("<Q", one) in message
    assert struct.pack("<Q", ABSENT_WORD) == bytes.fromhex("020000000000f07f"), "Prometheus' stale marker"


@pytest.mark.parametrize(
    ("samples", "size", "expected"),
    [
        (100, 1 << 20, [(0, 9)]),
        (4, 1 << 20, [(0, 4), (4, 8), (8, 9)]),
        (100, 1, [(at, at + 1) for at in range(9)]),
    ],
)
def test_pieces_are_bounded_and_leave_nothing_out(samples: int, size: int, expected: list[tuple[int, int]]) -> None:
    batch = batch_of([(AT + at, 0, number, 0) for at in range(3) for number in range(3)])
    assert list(batch.pieces(samples, size)) == expected


def test_a_piece_by_bytes_is_no_larger_than_asked() -> None:
    batch = batch_of([(AT, 0, at, 0) for at in range(3)])
    size = len(batch.message(Piece(0, 2)))
    pieces = list(batch.pieces(100, size))
    assert max(len(batch.message(piece)) for piece in pieces) <= size
    assert sum(piece.samples for piece in pieces) == 3
