"""Ninety days of a site: what is known of each, and nothing made of what is not."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from collector.verdicts.standing import Change
from collector.web.site_more_view import steps_for
from collector.web.site_past import DAYS, first_ms, past_of
from collector.web.view import Judged

ZONE = ZoneInfo("Africa/Lagos")
NOW_MS = 1_785_474_309_000  # 2026-07-31 06:05:09 in Lagos
HOUR = 3_600_000


def change(before: int | None, after: int, at_ms: int, reason: str = "x") -> Change:
    return Change("site", "abuja", before, after, at_ms, reason)


def test_a_day_is_as_bad_as_its_worst_hour() -> None:
    changes = [change(0, 4, NOW_MS - 30 * HOUR), change(4, 0, NOW_MS - 28 * HOUR), change(0, 2, NOW_MS - 2 * HOUR)]
    past = past_of(changes, 2, NOW_MS - 2 * HOUR, NOW_MS, ZONE)
    assert [day.state for day in past.days[-3:]] == [0, 4, 2]
    assert past.days[0].state == 0, "it stood as its first change says it did"
    assert past.down_seconds == pytest.approx(2 * 3600)
    watched = (NOW_MS - 2 * HOUR - first_ms(NOW_MS, ZONE)) / 1000
    assert past.ratio == pytest.approx(1 - 7200 / watched), "silence counts for nothing"
    assert [day.day.isoformat() for day in past.bad] == ["2026-07-31", "2026-07-30"]


@pytest.mark.parametrize(
    ("changes", "since_ms", "known"),
    [([], NOW_MS - 25 * HOUR, 2), ([], None, 0), ([change(None, 0, NOW_MS - 31 * HOUR)], NOW_MS, 3), ([], 0, DAYS)],
)
def test_before_anything_was_known_a_day_has_no_state(changes: list[Change], since_ms: int | None, known: int) -> None:
    past = past_of(changes, 0, since_ms, NOW_MS, ZONE)
    assert len(past.days) == DAYS
    assert [day.state for day in past.days] == [None] * (DAYS - known) + [0] * known
    assert past.ratio == (1.0 if known else None)


@pytest.mark.parametrize(("reason", "bad"), [("no_hosts", 0), ("never_reported", 0), ("silent", 1)])
def test_a_site_that_was_made_today_had_no_bad_day(reason: str, bad: int) -> None:
    changes = [change(None, 2, NOW_MS - HOUR, reason), change(2, 0, NOW_MS - HOUR + 2000)]
    past = past_of(changes, 0, NOW_MS - HOUR + 2000, NOW_MS, ZONE)
    assert len(past.bad) == bad
    assert past.days[-1].state == (2 if bad else 0)


@pytest.mark.parametrize(
    ("state", "reason", "steps"),
    [(0, "reporting", ""), (1, "maintenance", ""), (2, "silent", "silent"), (4, "power", "power"), (3, "on_backup", "line"), (2, "behind", "hub"), (3, "checks_failing", "checks"), (3, "new", "checks"), (4, "new", "silent")],
)  # fmt: skip
def test_what_to_do_on_the_spot(state: int, reason: str, steps: str) -> None:
    assert steps_for(Judged(state, 0, reason)) == steps
