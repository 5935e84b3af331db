"""Bytes a minute on a site's line, from what its agents count."""

from __future__ import annotations

import pytest
from test_plots import series

from collector.web.link_bytes import RECEIVED, SENT, bytes_per_minute


def test_all_agents_of_a_site_together_by_their_two_newest_samples() -> None:
    made = [
        series(SENT, [0, 60_000, 120_000], [0.0, 100.0, 400.0], instance="a"),
        series(SENT, [60_000, 120_000], [50.0, 150.0], instance="b"),
        series(RECEIVED, [60_000, 120_000], [0.0, 30.0], instance="a"),
    ]
    assert bytes_per_minute(made, 180_000) == pytest.approx((400.0, 30.0))


@pytest.mark.parametrize(
    "values",
    [[(0, 5.0)], [(0, 5.0), (600_000, 9.0)], [(0, 50.0), (60_000, 2.0)]],
    ids=["one sample", "too far apart", "begun anew"],
)
def test_where_nothing_can_be_said_nothing_is(values: list[tuple[int, float]]) -> None:
    times, counts = [list(column) for column in zip(*values, strict=True)]
    assert bytes_per_minute([series(SENT, times, counts)], 180_000) is None
    assert bytes_per_minute([], 180_000) is None
