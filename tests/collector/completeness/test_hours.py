"""An hour in numbers, and where numbers without a record belong: tables."""

from __future__ import annotations

import pytest

from agent.link.ranges import Ranges
from collector.completeness.gaps import LEAST_MS, MOST, Gap, aged, is_missing, missing
from collector.completeness.hours import HOUR_MS, HostHour, LostRange, by_hour, expected_of, outside_ms, site_hour

NINE, TEN, ELEVEN, TWELVE = (hour * HOUR_MS for hour in (9, 10, 11, 12))
HALF = HOUR_MS // 2


@pytest.mark.parametrize(
    ("hosts", "lost", "is_open", "state", "ratio"),
    [
        ([HostHour(240, 0, 240)], {}, False, "complete", 1.0),
        ([HostHour(239, 0, 240)], {}, False, "complete", 1.0),
        ([HostHour(238, 0, 240)], {}, False, "complete", 238 / 240),
        ([HostHour(237, 0, 240)], {}, False, "partial", 237 / 240),
        ([HostHour(241, 0, 240)], {}, False, "complete", 1.0),
        ([HostHour(240, 3, 240)], {}, False, "late", 1.0),
        ([HostHour(240, 2, 240)], {}, False, "complete", 1.0),
        ([HostHour(0, 0, 240)], {}, False, "nothing", 0.0),
        ([HostHour(0, 0, 1)], {}, False, "nothing", 0.0),
        ([HostHour(400, 0, 240), HostHour(80, 0, 240)], {}, False, "partial", 320 / 480),
        ([HostHour(240, 0, 240)], {"declared": 1}, False, "lost", 1.0),
        ([HostHour(240, 0, 240)], {"missing": 1}, False, "lost", 1.0),
        ([HostHour(240, 0, 240)], {"expired": 1}, False, "lost", 1.0),
        ([HostHour(12, 0, 240)], {"rolled_up": 228}, False, "partial", 12 / 240),
        ([HostHour(0, 0, 240)], {"rolled_up": 240}, False, "partial", 0.0),
        ([HostHour(240, 0, 240)], {}, True, "open", 1.0),
        ([HostHour(240, 0, None)], {}, False, "open", None),
        ([], {}, False, "open", None),
        ([HostHour(5, 0, 0)], {}, False, "complete", None),
    ],
)
def test_what_an_hour_looks_like(
    hosts: list[HostHour], lost: dict[str, int], is_open: bool, state: str, ratio: float | None
) -> None:
    found = site_hour(TEN, hosts, lost, is_open)
    assert (found.state, found.ratio) == (state, ratio)


@pytest.mark.parametrize(
    ("eligible_ms", "interval_ms", "expected"), [(HOUR_MS, 15_000, 240), (HALF, 60_000, 30), (0, 15_000, 0), (1, 0, 0)]
)
def test_expected(eligible_ms: int, interval_ms: int, expected: int) -> None:
    assert expected_of(eligible_ms, interval_ms) == expected


@pytest.mark.parametrize(
    ("lost", "known", "found"),
    [
        ([], [(1, TEN)], {}),
        ([(5, 8)], [], {(ELEVEN, "declared"): 4}),
        ([(5, 8)], [(4, TEN), (9, TEN + HALF)], {(TEN, "declared"): 4}),
        # one each half hour from half past nine to half past eleven
        ([(2, 4)], [(1, NINE + HALF), (5, ELEVEN + HALF)], {(TEN, "declared"): 2, (ELEVEN, "declared"): 1}),
        ([(9, 9)], [(1, TEN), (4, TEN + 5)], {(TEN, "declared"): 1}),
        ([(1, 3)], [(4, TWELVE), (9, TWELVE + 5)], {(TWELVE, "declared"): 3}),
        # the border belongs to the hour that begins with it
        ([(2, 2)], [(1, NINE), (3, ELEVEN)], {(TEN, "declared"): 1}),
        ([(2, 2)], [(1, NINE), (3, ELEVEN - 2)], {(NINE, "declared"): 1}),
    ],
)
def test_lost_numbers_lie_between_their_neighbours(
    lost: list[tuple[int, int]], known: list[tuple[int, int]], found: dict[tuple[int, str], int]
) -> None:
    assert by_hour([LostRange(*one, "declared", ELEVEN + 1) for one in lost], known) == found


def test_a_range_of_millions_is_shared_out_whole() -> None:
    count = 10_000_000
    found = by_hour([LostRange(2, count + 1, "missing", 0)], [(1, TEN), (count + 2, TWELVE - 1)])
    assert sum(found.values()) == count
    assert found.keys() == {(TEN, "missing"), (ELEVEN, "missing")}
    assert abs(found[TEN, "missing"] - count / 2) < count / 100


@pytest.mark.parametrize(
    ("held", "lost", "gaps"),
    [
        ([], [], []),
        ([(1, 9)], [], []),
        ([(3, 9)], [], [(1, 2)]),
        ([(1, 2), (8, 9)], [], [(3, 7)]),
        ([(1, 2), (8, 9)], [(3, 7)], []),
        ([(1, 2), (8, 9)], [(4, 5)], [(3, 3), (6, 7)]),
        ([(1, 2)], [(4, 9)], [(3, 3)]),
        ([], [(4, 9)], [(1, 3)]),
    ],
)
def test_missing_is_what_is_neither_held_nor_lost(
    held: list[tuple[int, int]], lost: list[tuple[int, int]], gaps: list[tuple[int, int]]
) -> None:
    assert missing(Ranges(held), Ranges(lost)) == gaps


def test_of_very_many_gaps_the_newest_are_named() -> None:
    found = missing(Ranges((2 * n, 2 * n) for n in range(1, MOST + 100)), Ranges())
    assert len(found) == MOST
    assert found[-1] == (2 * MOST + 197, 2 * MOST + 197)


@pytest.mark.parametrize(
    ("now", "before", "after"),
    [
        ([], [Gap(1, 5, 7)], []),
        ([(1, 5)], [], [Gap(1, 5, 100)]),
        ([(1, 5)], [Gap(1, 5, 7)], [Gap(1, 5, 7)]),
        ([(2, 3)], [Gap(1, 5, 7)], [Gap(2, 3, 7)]),
        ([(1, 1), (4, 5)], [Gap(1, 5, 7)], [Gap(1, 1, 7), Gap(4, 5, 7)]),
        ([(1, 1), (8, 9)], [Gap(1, 5, 7)], [Gap(1, 1, 7), Gap(8, 9, 100)]),
        ([(8, 9)], [Gap(1, 5, 7), Gap(8, 20, 3)], [Gap(8, 9, 3)]),
    ],
)
def test_a_gap_keeps_its_age(now: list[tuple[int, int]], before: list[Gap], after: list[Gap]) -> None:
    assert aged(now, before, 100) == after


@pytest.mark.parametrize(
    ("interval_ms", "age_ms", "is_told"),
    [
        (15_000, LEAST_MS, False),
        (15_000, LEAST_MS + 1, True),
        (300_000, 600_000, False),
        (300_000, 600_001, True),
    ],
)
def test_a_gap_is_told_after_two_intervals(interval_ms: int, age_ms: int, is_told: bool) -> None:
    assert is_missing(Gap(1, 2, 1_000), interval_ms, 1_000 + age_ms) is is_told


@pytest.mark.parametrize(("spooled_ms", "is_told"), [(None, True), (1_000, False), (999, False), (1_001, True)])
def test_a_gap_is_not_told_while_its_agent_keeps_what_is_as_old(spooled_ms: int | None, is_told: bool) -> None:
    assert is_missing(Gap(1, 2, 1_000), 15_000, 1_000_000, spooled_ms) is is_told


@pytest.mark.parametrize(
    ("spans", "left"),
    [
        ([], 100),
        ([(0, 50)], 100),
        ([(120, 140)], 80),
        ([(90, 110), (105, 130)], 70),
        ([(150, 300)], 50),
        ([(0, 300)], 0),
    ],
)
def test_time_outside_of_spans(spans: list[tuple[int, int]], left: int) -> None:
    assert outside_ms(100, 200, spans) == left
    assert outside_ms(100, 200, reversed(spans)) == left
