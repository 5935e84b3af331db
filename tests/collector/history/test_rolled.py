"""Roll-ups in history: the last value at the end of each window, a host that was there all along, nothing invented."""

from __future__ import annotations

import numpy as np
import pytest
from archive import HOUR, MINUTE, NOW_MS, Archive
from rollups import altered, rolled
from sender import Sender, request
from sqlalchemy import select

from agent.link.model import Sample, Schema, Series, make_schema
from agent.link.names import ABSENT_WORD
from agent.link.rollup import counters_of, roll_up
from collector.history.chunk import unpack_words
from collector.history.rolled import PARTS, BadRollUp, laid_out, spread
from collector.history.tables import chunks

HOST = "srv1.abuja"
STEP = 15_000
SCHEMA = make_schema(
    (Series(HOST, "node_load1", 0, ()), Series(HOST, "node_cpu_seconds_total", 1, ())), ((HOST, "disk"),)
)
WINDOW = 5 * MINUTE
AGO = NOW_MS - 6 * HOUR


def taken(sender: Sender, windows: int, schema: Schema = SCHEMA) -> list[list[Sample]]:
    """Samples of some windows of five minutes, six hours ago: a load that rises by one, a counter by ten."""
    count = WINDOW // STEP
    found = []
    for window in range(windows):
        at = range(window * count, (window + 1) * count)
        found.append([sender.sample(schema, [float(n), 10.0 * n, 1.0], AGO + n * STEP) for n in at])
    return found


def send(archive: Archive, sender: Sender, windows: list[list[Sample]]) -> None:
    archive.centre.clock.now_ms = NOW_MS
    records = [rolled(sender, SCHEMA, window) for window in windows]
    answer = archive.centre.answer(request(sender.envelope([], [SCHEMA.packed], records)))
    assert not answer.envelopes


@pytest.mark.parametrize("is_chunked", [False, True])
def test_each_is_its_last_value_at_the_end_of_its_window(archive: Archive, is_chunked: bool) -> None:
    sender = archive.centre.enrolled()
    windows = taken(sender, 12)
    send(archive, sender, windows)
    if is_chunked:
        archive.chunk(NOW_MS + HOUR)
        assert (archive.count("chunks"), archive.count("waiting")) == (1, 0)
    ends = [(window[-1].taken_at_ms, 20.0 * (at + 1) - 1) for at, window in enumerate(windows)]
    (_, values), *more = archive.samples("node_load1[2h]", NOW_MS - 4 * HOUR)
    assert not more
    assert [[at * 1000, float(value)] for at, value in values] == [list(pair) for pair in ends]  # type: ignore[operator]
    (_, values), *_ = archive.samples("node_cpu_seconds_total[2h]", NOW_MS - 4 * HOUR)
    assert [float(value) for _, value in values] == [10 * value for _, value in ends]  # type: ignore[arg-type]
    checks = archive.samples("bongsu_check_state[2h]", NOW_MS - 4 * HOUR)
    assert len(checks[0][1]) == 12


@pytest.mark.parametrize("is_chunked", [False, True])
def test_the_host_was_up_all_along(archive: Archive, is_chunked: bool) -> None:
    sender = archive.centre.enrolled()
    windows = taken(sender, 12)
    send(archive, sender, windows)
    if is_chunked:
        archive.chunk(NOW_MS + HOUR)
    up = archive.points("up", AGO, windows[-1][-1].taken_at_ms, STEP)[HOST]
    assert len(up) == 12 * 20
    assert {value for _, value in up} == {1.0}


def test_beside_samples_that_came_as_they_were(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    windows = taken(sender, 2)
    archive.centre.clock.now_ms = NOW_MS
    archive.post(sender, SCHEMA, [windows[0]], NOW_MS)
    send(archive, sender, [windows[1]])
    before = archive.points("node_load1", AGO, AGO + 2 * WINDOW)
    archive.chunk(NOW_MS + HOUR)
    assert archive.points("node_load1", AGO, AGO + 2 * WINDOW) == before
    assert len(before[HOST]) > 20


def test_a_chunk_keeps_all_that_a_roll_up_says(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    send(archive, sender, taken(sender, 3))
    archive.chunk(NOW_MS + HOUR)
    with archive.store.reading() as connection:
        (row,) = connection.execute(select(chunks)).all()
    assert (row.flags, row.count) == (1, 3)
    assert (row.from_ms, row.to_ms) == (AGO, AGO + 3 * WINDOW - STEP + 1)
    words = unpack_words(row.count, row.data).reshape(PARTS, 3, 3).view(np.float64)
    last, count, low, high, total = words[:5, 0]
    assert last.tolist() == [19.0, 39.0, 59.0]
    assert count.tolist() == [20.0] * 3
    assert (low.tolist(), high.tolist()) == ([0.0, 20.0, 40.0], [19.0, 39.0, 59.0])
    assert total.tolist() == [sum(range(start, start + 20)) for start in (0, 20, 40)]
    assert words[5, 1].tolist() == [0.0] * 3
    assert (words[5, 0].view(np.uint64) == ABSENT_WORD).all()
    assert (words[2, 1].view(np.uint64) == ABSENT_WORD).all()


def test_one_whose_kinds_are_not_its_schemas_is_left_out_and_counted(archive: Archive) -> None:
    """Intake knows how wide a schema is, not which of its columns are counters."""
    sender = archive.centre.enrolled()
    (window,) = taken(sender, 1)
    record = rolled(sender, SCHEMA, window)
    for place in (6, 7, 8):
        record = altered(record, place, bytes(24))
    record = altered(record, 9, b"")
    archive.centre.clock.now_ms = NOW_MS
    assert not archive.centre.answer(request(sender.envelope([], [SCHEMA.packed], [record]))).envelopes
    assert archive.samples("node_load1[2h]", NOW_MS - 5 * HOUR) == []
    archive.chunk(NOW_MS + HOUR)
    assert archive.samples("node_load1[2h]", NOW_MS - 5 * HOUR) == []
    assert b'bongsu_history_records_total{result="malformed"} 1.0' in archive.telemetry.text()


def test_laying_out_puts_each_word_at_its_column() -> None:
    samples = [Sample(n, NOW_MS + n, 0, SCHEMA.hash, np.array([n, 5.0 - n, 2.0]).tobytes()) for n in (1, 2)]
    said = roll_up(samples, counters_of(SCHEMA.packed))
    rows = laid_out(said, np.array([False, True, False])).reshape(PARTS, 3).view(np.float64)
    assert rows[0].tolist() == [2.0, 3.0, 2.0]
    assert rows[5, 1] == 1.0
    with pytest.raises(BadRollUp):
        laid_out(said, np.array([True, True, False]))
    with pytest.raises(BadRollUp):
        laid_out(said, np.array([False, True]))


def test_instants_are_spread_over_each_window() -> None:
    began, ended, counts = (np.array(row, np.int64) for row in ([0, 1000], [90, 1000], [4, 1]))
    assert spread(began, ended, counts).tolist() == [0, 30, 60, 90, 1000]
