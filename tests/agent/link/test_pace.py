"""How much goes at a time and when the backlog stands back: a table of lines and what follows from them."""

from __future__ import annotations

import pytest

from agent.link.names import BACKLOG_LANE, LIVE_LANE
from agent.link.pace import LEAST_CHUNK_BYTES, LONGEST_DEADLINE, MOST_CHUNK_BYTES, SHORTEST_DEADLINE, Pace


def after(goodput: float, per_record: int = 200, most: int = 1_000, rtt: float = 0.6) -> Pace:
    """A pace that met a line of ``goodput`` bytes per second."""
    pace = Pace(most, 0.25)
    pace.note(LIVE_LANE, 0, 1, 0.0, rtt, 0)
    for at in range(1, 8):
        pace.note(BACKLOG_LANE, 100, 100 * per_record, 1_000.0 * at, rtt + 100 * per_record / goodput, 0)
    return pace


@pytest.mark.parametrize(
    ("goodput", "chunk"), [(8_000.0, 32_000), (2_000.0, 8_000), (200.0, LEAST_CHUNK_BYTES), (9e5, MOST_CHUNK_BYTES)]
)
def test_a_chunk_is_four_seconds_of_the_line_within_bounds(goodput, chunk):
    assert after(goodput).backlog_records * 200 == pytest.approx(chunk, rel=0.05)


def test_the_share_is_one_of_time():
    pace = Pace(60, 0.25)
    pace.note(LIVE_LANE, 0, 1, 0.0, 0.6, 0)
    pace.note(BACKLOG_LANE, 60, 8_000, 10.0, 1.6, 0)
    assert pace.backlog_at == pytest.approx(10.0 + 1.0 / 0.25), "the second the line was busy is a quarter of the time"


@pytest.mark.parametrize(("seconds", "stands_back"), [(0.7, False), (1.2, False), (1.4, True), (5.0, True)])
def test_the_backlog_stands_back_while_live_records_take_twice_their_time(seconds, stands_back):
    pace = Pace(60, 0.25)
    pace.note(LIVE_LANE, 0, 1, 0.0, 0.6, 0)
    pace.note(LIVE_LANE, 1, 300, 100.0, seconds, 0)
    assert (pace.backlog_at > 105) == stands_back


def test_a_line_that_became_longer_is_believed_in_time():
    pace = Pace(60, 0.25)
    pace.note(LIVE_LANE, 0, 1, 0.0, 0.05, 0)
    for n in range(200):
        pace.note(LIVE_LANE, 1, 300, 100.0 + 60 * n, 0.6, 0)
    assert pace.backlog_at < 100 + 60 * 199


def test_a_request_may_take_as_long_as_the_line_was_seen_to_need_and_longer_after_each_failure():
    assert Pace(60, 0.25).deadline_seconds(300, 0) == SHORTEST_DEADLINE
    thin = after(8_000.0)
    assert thin.deadline_seconds(32_000, 0) == pytest.approx(SHORTEST_DEADLINE + 8, rel=0.05)
    assert [thin.deadline_seconds(300, failures) for failures in (1, 2, 9)] == [
        pytest.approx(2 * SHORTEST_DEADLINE, rel=0.01), LONGEST_DEADLINE, LONGEST_DEADLINE,
    ]  # fmt: skip
