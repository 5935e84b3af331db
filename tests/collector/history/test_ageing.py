"""Old history in windows: what stays of many samples, and that plots and queries go on over all ages."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime
from itertools import product

import numpy as np
import pytest
from archive import DAY, HOUR, MINUTE, NOW_MS, Archive
from sender import schema_of
from sqlalchemy import func, select

from agent.link.model import Series, make_schema
from agent.link.names import ABSENT_WORD
from agent.link.rollup import roll_up
from collector.history.ageing import FIVE_MINUTES, SAMPLES, Ageing, Days
from collector.history.ageing import HOUR as HOUR_FLAG
from collector.history.chunk import Samples
from collector.history.query import Query
from collector.history.rolled import laid_out
from collector.history.rollup import FIVE_MINUTES_MS, HOUR_MS, coarser, roll
from collector.history.tables import chunks
from collector.store.scope import EVERYTHING

START = NOW_MS - NOW_MS % HOUR
COUNTERS = np.array([True, False, True, False])


def samples(seed: int, count: int, step_ms: int = 15_000) -> Samples:
    """Two counters with falls, two gauges with NaN and infinities; each absent now and then."""
    chance = random.Random(seed)
    odd = [math.nan, math.inf, -math.inf, 0.0, -3.5, 7.0, 7.0]
    words = np.empty((4, count), np.uint64)
    level = 0.0
    for at in range(count):
        level = chance.uniform(0, 2) if chance.random() < 0.05 else level + chance.uniform(0, 9)
        row = [level, chance.choice(odd), float(at), math.sin(at)]
        for column, value in enumerate(row):
            is_gone = chance.random() < 0.1
            words[column, at] = ABSENT_WORD if is_gone else np.float64(value).view(np.uint64)
    times = START + np.arange(count, dtype=np.int64) * step_ms
    return Samples(times, np.zeros(count, np.int64), np.arange(1, count + 1, dtype=np.int64), words)


def by_agents_rules(given: Samples, window_ms: int) -> np.ndarray:
    """The same windows as an agent would roll them up: six rows of columns for each."""
    from agent.link.model import Sample

    found = []
    numbers = given.times // window_ms
    for number in np.unique(numbers):
        at = np.flatnonzero(numbers == number)
        records = [
            Sample(
                int(given.seqs[one]), int(given.times[one]), 0, b"s" * 16, given.words[:, one].astype("<u8").tobytes()
            )
            for one in at
        ]
        before = given.words[:, at[0] - 1].astype("<u8").tobytes() if at[0] else b""
        found.append(laid_out(roll_up(records, COUNTERS.tolist(), before), COUNTERS))
    return np.stack(found, axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_windows_say_what_an_agents_roll_ups_say(seed: int) -> None:
    given = samples(seed, 100)
    made = roll(given, COUNTERS, FIVE_MINUTES_MS)
    expected = by_agents_rules(given, FIVE_MINUTES_MS)
    same = made.samples.words == expected
    close = np.isclose(made.samples.words.view(np.float64), expected.view(np.float64), rtol=1e-12, equal_nan=False)
    ended = np.zeros_like(same)
    ended[:4] = made.samples.words[:4] == ABSENT_WORD  # an agent says the last there was, history that it had ended
    assert (same | close | ended).all()
    assert made.samples.times.tolist() == [
        int(given.times[given.times < end].max())
        for end in range(START + FIVE_MINUTES_MS, START + 26 * MINUTE, FIVE_MINUTES_MS)
    ]
    assert made.counts.sum() == 100


def test_falls_of_counters_are_counted_over_windows_edges() -> None:
    values = np.array([[5.0, 7.0, 1.0, 2.0, 0.0, 3.0]])
    given = Samples(
        START + np.array([0, 100, 200, 300, 400, 500], np.int64) * 1000,
        np.zeros(6, np.int64),
        np.arange(6, dtype=np.int64),
        values.view(np.uint64),
    )
    made = roll(given, np.array([True]), FIVE_MINUTES_MS)
    assert made.samples.words[5].view(np.float64).tolist() == [1.0, 1.0]
    hour = coarser(made, np.array([True]), HOUR_MS)
    assert hour.samples.words[5].view(np.float64).tolist() == [2.0]
    assert hour.samples.words[0].view(np.float64).tolist() == [3.0]


@pytest.mark.parametrize("seed", range(5))
def test_an_hour_of_windows_is_the_window_of_an_hour(seed: int) -> None:
    given = samples(seed, 480)
    once = roll(given, COUNTERS, HOUR_MS)
    twice = coarser(roll(given, COUNTERS, FIVE_MINUTES_MS), COUNTERS, HOUR_MS)
    assert twice.samples.times.tolist() == once.samples.times.tolist()
    assert (twice.began.tolist(), twice.counts.tolist()) == (once.began.tolist(), once.counts.tolist())
    parts = once.samples.words[:20], twice.samples.words[:20]
    assert np.array_equal(parts[0] == ABSENT_WORD, parts[1] == ABSENT_WORD)
    assert np.allclose(*(np.nan_to_num(part.view(np.float64), nan=-1.0) for part in parts), rtol=1e-12)


def flags(archive: Archive) -> dict[int, int]:
    with archive.store.reading() as connection:
        return dict(
            tuple(row)
            for row in connection.execute(select(chunks.c.flags, func.count()).group_by(chunks.c.flags)).all()
        )


def test_history_grows_coarse_and_goes(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    schema = schema_of(sender.host, ["node_load1"])
    ageing = Ageing(archive.store, archive.history, Days(2, 4, 8))
    for day in range(10):
        begin = START + day * DAY
        archive.send(
            sender, schema, [(begin + at * MINUTE, [float(day * 1000 + at)]) for at in range(180)], at_once=True
        )
        archive.chunk(begin + 4 * HOUR)
    now_ms = START + 10 * DAY
    ageing.step(datetime.fromtimestamp(now_ms / 1000, UTC))
    assert set(flags(archive)) == {SAMPLES, FIVE_MINUTES, HOUR_FLAG}
    coarse = ageing.coarse(now_ms)
    query = Query([archive.history], EVERYTHING, coarse=coarse)

    def day(number: int, text: str = "node_load1", step_ms: int = 5 * MINUTE) -> list[tuple[int, float]]:
        begin = START + number * DAY
        (found,) = query.points(text, begin, begin + 3 * HOUR - MINUTE, step_ms)
        return [
            ((at - begin) // MINUTE, value - number * 1000) for at, value in zip(found.times, found.values, strict=True)
        ]

    assert day(9) == [(at, float(at)) for at in range(0, 180, 5)]
    # In windows a value is what it was at the window's end, until the next one: never one from the future.
    assert day(7) == [(at, float(at - 1)) for at in range(5, 180, 5)]
    assert day(3, step_ms=HOUR) == [(60, 59.0), (120, 119.0)]
    assert query.points("node_load1", START, START + 3 * HOUR, HOUR) == []
    before = flags(archive)
    ageing.step(datetime.fromtimestamp(now_ms / 1000, UTC))
    assert flags(archive) == before


def test_a_value_of_an_hour_holds_for_that_hour_and_no_longer(archive: Archive) -> None:
    sender = archive.centre.enrolled()
    schema = schema_of(sender.host, ["node_load1"])
    archive.send(sender, schema, [(START + at * MINUTE, [7.0]) for at in range(60)], at_once=True)
    archive.chunk(START + 4 * HOUR)
    ageing = Ageing(archive.store, archive.history, Days(1, 1, 30))
    now_ms = START + 5 * DAY
    ageing.step(datetime.fromtimestamp(now_ms / 1000, UTC))
    query = Query([archive.history], EVERYTHING, coarse=ageing.coarse(now_ms))
    end_ms = START + 59 * MINUTE
    for after, there in ((0, True), (65, True), (66, False)):
        found = query.instant("node_load1", end_ms + after * MINUTE)["result"]
        assert bool(found) is there
    assert query.instant("rate(node_load1[5m])", end_ms)["result"] == []  # nobody knows how it went in five minutes


FOLDS = ("min", "max", "sum", "count", "avg")


@pytest.mark.parametrize("keeps", [Days(1, 4, 8), Days(1, 1, 8)])
def test_folds_over_windows_are_those_of_the_samples(archive: Archive, keeps: Days) -> None:
    """A spike of one sample is still there when only windows are; a plot of last values would not show it."""
    chance = random.Random(4)
    schema = make_schema(tuple(Series("srv1.abuja", name, 0, ()) for name in ("spiky", "holey")), ())
    rows: list[tuple[int, list[float | None]]] = []
    for at in range(3 * 240):
        spiky = 1000.0 if at % 97 == 13 else chance.random()
        rows.append((START + at * 15_000, [spiky, None if 50 < at % 240 < 130 else -chance.random()]))
    sender = archive.centre.enrolled()
    archive.send(sender, schema, rows, at_once=True)
    archive.chunk(START + 4 * HOUR)

    def asked() -> dict[tuple[str, str, int], float]:
        found = {}
        for name, fold, hour in product(("spiky", "holey"), FOLDS, (1, 2, 3)):
            at_ms = START + hour * HOUR - 1  # whole windows, whatever their length
            (one,) = Query([archive.history], EVERYTHING).instant(f"{fold}_over_time({name}[1h])", at_ms)["result"]
            found[name, fold, hour] = float(one["value"][1])
        return found

    before = asked()
    assert before["spiky", "max", 1] == 1000.0
    assert before["spiky", "count", 2] == 240
    Ageing(archive.store, archive.history, keeps).step(datetime.fromtimestamp((START + 3 * DAY) / 1000, UTC))
    assert SAMPLES not in flags(archive)
    assert asked() == pytest.approx(before, rel=1e-9)
