"""Plots: rates, gaps that stay gaps, and resets that are no negative traffic."""

from __future__ import annotations

import numpy as np
import pytest

from agent.link.names import ABSENT_WORD
from collector.history.source import SeriesData
from collector.web import plots


def series(name: str, times: list[int], values: list[float | None], **labels: str) -> SeriesData:
    words = np.array([0.0 if value is None else value for value in values]).view(np.uint64).copy()
    words[[value is None for value in values]] = ABSENT_WORD
    return SeriesData(tuple(sorted({"__name__": name, **labels}.items())), np.array(times, dtype=np.int64), words)


def shown(values: plots.Values) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 6) for value in values]


@pytest.mark.parametrize(
    ("span_ms", "interval_ms", "step_ms", "steps"),
    [
        (3_600_000, 15_000, 15_000, 240),
        (21_600_000, 15_000, 45_000, 480),
        (86_400_000, 15_000, 180_000, 480),
        (3_600_000, 60_000, 60_000, 60),
        (1_000, 15_000, 15_000, 1),
    ],
)
def test_grid_is_whole_intervals(span_ms: int, interval_ms: int, step_ms: int, steps: int) -> None:
    found = plots.grid(1_800_000_000_000 - span_ms, 1_800_000_000_000, interval_ms)
    assert found.step_ms == step_ms
    assert found.steps in (steps, steps + 1)
    assert found.steps <= plots.POINTS + 1


ON = plots.Grid(0, 10_000, 8, 30_000)


@pytest.mark.parametrize(
    ("times", "values", "expected"),
    [
        ([10_000, 20_000], [1, 2], [1, 2, 2, 2, 2, None, None, None]),  # holds for three intervals, then nothing
        ([9_000, 21_000], [1, 3], [1, 1, 3, 3, 3, None, None, None]),
        ([4_000, 8_000], [1, 3], [2, 3, 3, None, None, None, None, None]),  # a step's mean, then its last
        ([], [], [None] * 8),
        ([-20_000], [5], [5, None, None, None, None, None, None, None]),  # from before the grid, while it counts
        ([90_000], [5], [None] * 8),
    ],
)
def test_samples_stand_on_the_grid(times: list[int], values: list[float], expected: list[float | None]) -> None:
    found = plots.place(np.array(times, dtype=np.int64), np.array(values, dtype=np.float64), ON)
    assert shown(found) == expected


def test_a_rate_needs_two_near_samples_and_no_reset() -> None:
    times = np.array([0, 10_000, 20_000, 60_000, 70_000, 80_000], dtype=np.int64)
    values = np.array([0.0, 50.0, 150.0, 900.0, 10.0, 30.0])
    at, rates = plots.rate(times, values, 30_000)
    assert at.tolist() == [10_000, 20_000, 80_000]
    assert rates.tolist() == [5.0, 10.0, 2.0]


def test_absent_is_not_zero() -> None:
    found = plots.make_plots([series("node_load1", [10_000, 20_000, 80_000], [1.0, None, 3.0])], ON)
    (line,) = next(plot for plot in found if plot.id == "load").lines
    assert shown(line.values) == [1, 1, 1, 1, None, None, None, 3]


def test_cpu_is_a_share_of_all_processors() -> None:
    on = plots.Grid(0, 10_000, 2, 30_000)
    found = plots.make_plots(
        [
            series("node_cpu_seconds_total", [10_000, 20_000], [0, 5.0], cpu="0", mode="user"),
            series("node_cpu_seconds_total", [10_000, 20_000], [0, 5.0], cpu="0", mode="idle"),
            series("node_cpu_seconds_total", [10_000, 20_000], [0, 1.0], cpu="1", mode="user"),
            series("node_cpu_seconds_total", [10_000, 20_000], [0, 9.0], cpu="1", mode="idle"),
        ],
        on,
    )
    (line,) = found[0].lines
    assert (line.key, shown(line.values)) == ("user", [None, 0.3])


def test_memory_parts_add_up_and_filesystems_count_as_df_does() -> None:
    on = plots.Grid(0, 10_000, 1, 30_000)
    disk = {"mountpoint": "/", "fstype": "ext4"}
    found = {
        plot.id: plot
        for plot in plots.make_plots(
            [
                *(series(f"node_memory_{name}_bytes", [9_000], [value]) for name, value in (("MemTotal", 8.0), ("MemAvailable", 5.0), ("MemFree", 2.0))),
                *(series(f"node_filesystem_{name}_bytes", [9_000], [value], **disk) for name, value in (("size", 100.0), ("free", 20.0), ("avail", 10.0))),
                *(series(f"node_filesystem_{name}_bytes", [9_000], [5.0], mountpoint="/run", fstype="tmpfs") for name in ("size", "free", "avail")),
            ],
            on,
        )
    }  # fmt: skip
    assert [(line.key, shown(line.values)) for line in found["memory"].lines] == [
        ("used", [3]),
        ("cached", [3]),
        ("free", [2]),
    ]
    assert [(line.key, shown(line.values)) for line in found["filesystem"].lines] == [("/", [round(80 / 90, 6)])]
    assert found["network"].lines == ()


def test_the_busiest_devices_are_shown_and_the_loopback_is_not() -> None:
    on = plots.Grid(0, 10_000, 2, 30_000)
    made = [
        series("node_network_receive_bytes_total", [10_000, 20_000], [0, float(size)], device=device)
        for device, size in (("lo", 9e9), ("eth0", 10), ("eth1", 90), ("eth2", 50), ("eth3", 70), ("eth4", 60))
    ]
    found = next(plot for plot in plots.make_plots(made, on) if plot.id == "network")
    assert [line.device for line in found.lines] == ["eth1", "eth3", "eth4", "eth2"]


def test_cpu_ratio_of_the_two_newest_samples() -> None:
    made = [
        series("node_cpu_seconds_total", [0, 10_000, 20_000], [0, 9, 11.0], cpu="0", mode="user", instance="a"),
        series("node_cpu_seconds_total", [0, 10_000, 20_000], [0, 1, 9.0], cpu="0", mode="idle", instance="a"),
        series("node_cpu_seconds_total", [20_000], [5.0], cpu="0", mode="idle", instance="b"),
    ]
    assert plots.cpu_ratios(made, 30_000) == {"a": pytest.approx(0.2)}
