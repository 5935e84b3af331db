"""How long a commit waits for company, by how many come."""

from __future__ import annotations

import pytest

from collector.intake.gathering import LEAST_SECONDS, MOST_SECONDS, Gathering


def after(per_second: float, seconds: float = 20.0) -> Gathering:
    gathering, now = Gathering(), 100.0
    while now < 100.0 + seconds:
        wait = max(gathering.seconds, 1 / per_second)
        now += wait
        gathering.came(max(1, round(per_second * wait)), now)
    return gathering


@pytest.mark.parametrize(
    ("per_second", "seconds"),
    [
        (0.1, LEAST_SECONDS),  # nobody else would come
        (10, LEAST_SECONDS),
        (67, MOST_SECONDS),  # a thousand agents at their pace: four others
        (140, MOST_SECONDS / 4),  # two others
        (222, 0.006),
        (3000, LEAST_SECONDS),  # they come by themselves
    ],
)
def test_it_waits_as_long_as_that_pays(per_second: float, seconds: float) -> None:
    assert after(per_second, 100.0 if per_second < 1 else 20.0).seconds == pytest.approx(seconds, rel=0.25)


def test_it_begins_and_ends_with_the_least() -> None:
    gathering = after(67)
    assert LEAST_SECONDS < gathering.seconds <= MOST_SECONDS
    gathering.came(1, 1000.0)
    assert gathering.seconds == Gathering().seconds == LEAST_SECONDS


def test_all_who_come_meanwhile_wait_until_the_same_moment() -> None:
    gathering = after(67)
    first = 200.0
    until = first + gathering.wait(first)
    assert until - first == pytest.approx(gathering.seconds)
    gathering.came(5, first + 0.001)  # another rate moves nobody who waits
    assert first + 0.02 + gathering.wait(first + 0.02) == pytest.approx(until)
    assert gathering.wait(until) == pytest.approx(gathering.seconds)
