"""What an incident cost in availability, from changes of state."""

from __future__ import annotations

from collector.incidents.lost_time import lost_time
from collector.verdicts.standing import DEGRADED, DOWN, NO_DATA, OK, Change

MINUTE = 60_000


def change(minute: int, before: int | None, after: int) -> Change:
    return Change("site", "abuja", before, after, minute * MINUTE, "power", "")


def test_time_down_and_time_unseen_are_told_apart() -> None:
    changes = [change(3, DEGRADED, NO_DATA), change(5, NO_DATA, DOWN), change(35, DOWN, OK)]
    found = lost_time("site", "abuja", changes, OK, 0, 40 * MINUTE)
    assert (found.down_seconds, found.unseen_seconds) == (30 * 60, 2 * 60)
    assert round(found.month_ratio * 100, 4) == 0.0694


def test_what_lasts_counts_until_now_and_what_never_changed_stands_as_it_does() -> None:
    assert lost_time("site", "abuja", [change(5, OK, DOWN)], DOWN, 0, 9 * MINUTE).down_seconds == 4 * 60
    assert lost_time("site", "abuja", [], DOWN, 0, 9 * MINUTE).down_seconds == 9 * 60
    assert lost_time("site", "abuja", [], OK, 0, 9 * MINUTE)[2:] == (0, 0)
