"""Values at instants and in ranges, ``up`` from presence, and how numbers and instants are written and read."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agent.link.names import ABSENT_WORD
from collector.history.answer import number, seconds
from collector.history.instants import BadParameter, duration_ms, instant_ms
from collector.history.presence import presence
from collector.history.promql.sampled import instant_vector, windows
from collector.history.query import steps
from collector.history.source import SeriesData

GONE = "gone"


def series(*points: tuple[int, float | str]) -> SeriesData:
    words = [ABSENT_WORD if value == GONE else int(np.float64(value).view(np.uint64)) for _, value in points]
    return SeriesData((("__name__", "x"),), np.array([at for at, _ in points], np.int64), np.array(words, np.uint64))


@pytest.mark.parametrize(
    ("points", "at_ms", "value"),
    [
        ([(1000, 5)], 999, None),
        ([(1000, 5)], 1000, 5.0),
        ([(1000, 5)], 1000 + 299_999, 5.0),
        ([(1000, 5)], 1000 + 300_000, 5.0),  # as in Prometheus 2, the lookback holds its far end
        ([(1000, 5)], 1000 + 300_001, None),
        ([(1000, 5), (2000, 6)], 1999, 5.0),
        ([(1000, 5), (2000, 6)], 2000, 6.0),
        ([(1000, 5), (2000, GONE)], 1999, 5.0),
        ([(1000, 5), (2000, GONE)], 2000, None),
        ([(1000, 5), (2000, GONE), (3000, 7)], 3500, 7.0),
        ([(1000, math.inf)], 1000, math.inf),
        ([], 1000, None),
    ],
)
def test_value_at_an_instant(points: list[tuple[int, float | str]], at_ms: int, value: float | None) -> None:
    found = instant_vector([series(*points)], steps(at_ms, at_ms, 1), 300_000)
    assert found.values[found.here].tolist() == ([] if value is None else [value])


def test_a_nan_is_a_value_and_absent_is_none() -> None:
    found = instant_vector([series((0, math.nan), (10, GONE), (20, 1))], steps(0, 20, 10), 300_000)
    assert found.here.tolist() == [[True, False, True]]
    assert math.isnan(found.values[0, 0])


def test_grid_has_both_ends() -> None:
    assert steps(0, 30, 10).tolist() == [0, 10, 20, 30]
    assert steps(0, 29, 10).tolist() == [0, 10, 20]
    assert steps(5, 5, 10).tolist() == [5]


@pytest.mark.parametrize(
    ("at_ms", "range_ms", "expected"),
    [
        (3000, 1999, [2000, 3000]),  # 1000 is just outside
        (3000, 2000, [1000, 2000, 3000]),
        (2999, 1000, [2000]),
        (900, 1000, []),
        (9000, 1000, []),
    ],
)
def test_samples_in_a_range(at_ms: int, range_ms: int, expected: list[int]) -> None:
    samples = [series((1000, 1), (2000, 2), (2500, GONE), (3000, 3))]
    found = [
        window.times[window.first[0] : window.end[0]].tolist()
        for window in windows(samples, steps(at_ms, at_ms, 1), range_ms)
    ]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("times", "before", "until", "expected"),
    [
        ([0, 15, 30], None, 40, "0:1 15:1 30:1"),
        ([0, 15], None, 60, "0:1 15:1"),  # exactly three intervals: not yet late
        ([0, 15], None, 61, "0:1 15:1 60:0"),
        ([0, 15, 120], None, 121, "0:1 15:1 60:0 75:0 90:0 105:0 120:1"),
        ([], None, 1000, ""),  # nothing is said of a host that was never heard
        ([], 0, 80, "45:0 60:0 75:0"),
        ([100], 0, 110, "45:0 60:0 75:0 90:0 100:1"),
        ([10], 0, 20, "10:1"),
    ],
)
def test_up(times: list[int], before: int | None, until: int, expected: str) -> None:
    at, words = presence(np.array(times, np.int64), before, until, 15)
    assert " ".join(f"{t}:{v:.0f}" for t, v in zip(at.tolist(), words.view(np.float64), strict=True)) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (1e-05, "0.00001"),
        (0.000001, "0.000001"),
        (1e-07, "1e-7"),
        (2.5e-300, "2.5e-300"),
        (1e15, "1000000000000000"),
        (1e16, "10000000000000000"),
        (1.23e20, "123000000000000000000"),
        (1e21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (16777216.5, "16777216.5"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_as_prometheus_writes_them(value: float, text: str) -> None:
    assert number(value) == text
    assert math.isnan(value) or float(text) == value


def test_seconds_are_whole_where_they_are() -> None:
    assert [seconds(1_435_781_430_000), seconds(1_435_781_430_781)] == [1435781430, 1435781430.781]


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1435781430.781", 1_435_781_430_781),
        ("1435781430", 1_435_781_430_000),
        ("-1", -1000),
        ("1.5e9", 1_500_000_000_000),
        ("2015-07-01T20:10:30.781Z", 1_435_781_430_781),
        ("2015-07-01T20:10:30Z", 1_435_781_430_000),
        ("2015-07-02T05:10:30.781+09:00", 1_435_781_430_781),
        ("2015-07-01t20:10:30z", 1_435_781_430_000),
    ],
)
def test_instants(text: str, at_ms: int) -> None:
    assert instant_ms("time", text) == at_ms


@pytest.mark.parametrize(
    "text", ["", "now", "nan", "inf", "1e300", "2015-07-01", "2015-13-01T00:00:00Z", "2015-07-01T20:10:30"]
)
def test_no_instant(text: str) -> None:
    with pytest.raises(BadParameter, match=r'invalid parameter "time": cannot parse ".*" to a valid timestamp'):
        instant_ms("time", text)


@pytest.mark.parametrize(
    ("text", "duration"),
    [("15", 15_000), ("0.5", 500), ("15s", 15_000), ("1h30m", 5_400_000), ("250ms", 250), ("1d", 86_400_000)],
)
def test_durations(text: str, duration: int) -> None:
    assert duration_ms("step", text) == duration


@pytest.mark.parametrize("text", ["", "5x", "m5", "nan", "inf"])
def test_no_duration(text: str) -> None:
    with pytest.raises(BadParameter):
        duration_ms("step", text)
