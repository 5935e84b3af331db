"""Which time a host's page shows, and how its checks went over it."""

from __future__ import annotations

import numpy as np
import pytest
from fastapi.testclient import TestClient
from test_pages import BROWSER, read

from agent.link.names import ABSENT_WORD
from collector.history.source import SeriesData
from collector.web import plots
from collector.web.check_strip import CELLS, check_strips
from collector.web.host_span import HOUR_MS, Span, span_of

NOW = 1_785_474_309_000


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, Span("1h", NOW - HOUR_MS, NOW)),
        ({"range": "30d"}, Span("30d", NOW - 720 * HOUR_MS, NOW)),
        ({"range": "9y"}, Span("1h", NOW - HOUR_MS, NOW)),
        ({"from": str(NOW - 2 * HOUR_MS), "to": str(NOW - HOUR_MS)}, Span("", NOW - 2 * HOUR_MS, NOW - HOUR_MS)),
        ({"from": str(NOW), "to": str(NOW - HOUR_MS)}, Span("1h", NOW - HOUR_MS, NOW)),
        ({"from": "x", "to": "1", "range": "6h"}, Span("6h", NOW - 6 * HOUR_MS, NOW)),
        ({"from": "0", "to": str(NOW)}, Span("1h", NOW - HOUR_MS, NOW)),
    ],
)
def test_an_address_says_which_time(asked: dict[str, str], expected: Span) -> None:
    assert span_of(asked, NOW) == expected


def test_neighbours_lead_neither_beyond_now_nor_beyond_what_is_read() -> None:
    newest = span_of({"range": "1h"}, NOW).ways("/h", NOW)
    assert set(newest) == {"earlier", "closer", "wider"}
    assert newest["wider"] == f"/h?from={NOW - HOUR_MS - HOUR_MS // 2}&to={NOW}"
    assert "wider" not in span_of({"range": "30d"}, NOW).ways("/h", NOW)
    assert "later" in Span("", NOW - 4 * HOUR_MS, NOW - 2 * HOUR_MS).ways("/h", NOW)


def states(times: list[int], values: list[float | None], folded: np.ndarray | None = None) -> SeriesData:
    words = np.array([0.0 if value is None else value for value in values], float).view(np.uint64).copy()
    words[[value is None for value in values]] = ABSENT_WORD
    labels = (("__name__", "bongsu_check_state"), ("check", "disk"))
    return SeriesData(labels, np.array(times, np.int64), words, folded)


def test_a_cell_shows_the_worst_and_a_gap_stays_one() -> None:
    second, span = 1000, CELLS * 60_000  # a cell is a minute
    times = [at * 15 * second for at in range(20)]  # five minutes, then nothing
    strip = check_strips([states(times, [0, 0, 0, 2, *[0.0] * 15, 1])], 0, span, 15_000)["disk"]
    assert [(run.begin, run.length, run.state) for run in strip.runs] == [(0, 1, 2), (1, 3, 0), (4, 2, 1)]
    assert [state for state, _ in strip.shares] == [2, 1, 0]
    unknown_and_critical = check_strips([states([0, 15_000], [3, 2])], 0, span, 15_000)["disk"]
    assert unknown_and_critical.runs[0].state == 2, "not knowing is no worse than knowing the worst"
    assert check_strips([states([], [])], 0, span, 15_000) == {}


def test_a_window_reaches_back_to_its_begin() -> None:
    folded = np.array([[20.0, 20.0], [0.0, 0.0], [0.0, 2.0], [0.0, 2.0]])
    strip = check_strips([states([300_000, 600_000], [0, 0], folded)], 0, CELLS * 60_000, 15_000)["disk"]
    assert [(run.begin, run.length, run.state) for run in strip.runs] == [(0, 5, 0), (5, 5, 2)]


def test_windows_are_plotted_by_their_means_and_rates_reach_over_them() -> None:
    on = plots.Grid(0, 60_000, 10, 45_000)
    folded = np.array([[20.0, 20.0], [1.0, 1.0], [3.0, 3.0], [40.0, 60.0]])
    words = np.array([9.0, 9.0]).view(np.uint64)
    times = np.array([300_000, 600_000], np.int64)
    gauge = SeriesData((("__name__", "node_load1"),), times, words, folded)
    counter = SeriesData((("__name__", "x"),), times, np.array([0.0, 600.0]).view(np.uint64), folded)
    ((_, means),) = plots.lines_of([gauge], on, is_rate=False)
    assert means.tolist() == [2.0] * 5 + [3.0] * 5
    ((_, rates),) = plots.lines_of([counter], on, is_rate=True)
    assert rates.tolist()[5:] == [2.0] * 5
    assert np.isnan(rates[:5]).all()


def test_a_host_page_keeps_the_time_in_its_address(client: TestClient) -> None:
    for asked in ("range=7d", "range=30d", f"from={NOW - 7_200_000}&to={NOW - 3_600_000}"):
        page = read(client.get(f"/hosts/srv2.dc-djn?{asked}", headers=BROWSER).text)
        chosen = [found for tag, found in page.tags if tag == "a" and found.get("aria-current") == "true"]
        assert [asked in (found["href"] or "") for found in chosen] == ([True] if "range" in asked else [])
        assert page.values("div", "data-from") == ([str(NOW - 7_200_000)] if "from=" in asked else [])
