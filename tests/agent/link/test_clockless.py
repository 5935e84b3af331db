"""Clocks that jump, and a machine that boots in 1970: what is stamped, and that no timer minds."""

from __future__ import annotations

import pytest
from still_clock import StillClock
from test_send import Site

from agent.link.exchange import Failure
from agent.link.offset import Offset
from agent.link.ranges import Ranges

HOUR, YEARS = 3_600_000, 10 * 365 * 86_400_000


def jump(site: Site, shift_ms: int) -> None:
    """The machine's clock jumps; the centre's does not, and neither does the monotonic one."""
    site.clock.wall_shift_ms += shift_ms
    site.centre.skew_ms -= shift_ms


def true_times(site: Site) -> list[int]:
    """When each record that is still in the spool was taken, by what its stamp and offset say."""
    found = [record for shelf in site.spool.shelves() for record in shelf.find(Ranges([(1, 10_000)]))]
    return [record.taken_at_ms + record.offset_ms for record in sorted(found, key=lambda record: record.seq)]


@pytest.mark.parametrize("shift", [HOUR, -HOUR, YEARS, -YEARS])
@pytest.mark.parametrize("is_cut", [False, True], ids=["linked", "cut"])
def test_a_jump_is_corrected_in_the_very_next_record_and_nothing_comes_late(shift, is_cut):
    site = Site()
    site.reports(3)
    if is_cut:
        site.centre.mood = lambda request: Failure("cut")
    began = site.clock.monotonic()
    jump(site, shift)
    true_ms = site.clock.wall_ms() + site.centre.skew_ms
    sent = len(site.centre.requests)
    site.report()
    assert abs(true_times(site)[-1] - true_ms) < 50
    site.run(15)
    assert len(site.centre.requests) > sent, "timers do not mind"
    site.reports(10)
    site.centre.mood = lambda request: None
    site.run(70)
    assert site.centre.held(site.epoch).last == 14
    assert site.clock.monotonic() - began < 300


@pytest.mark.parametrize("jumps", [[HOUR, -HOUR], [-YEARS, YEARS], [YEARS, -YEARS, HOUR]])
def test_after_a_restart_amid_jumps_the_first_answer_sets_it_right(jumps):
    site = Site()
    site.reports(2)
    for shift in jumps:
        jump(site, shift)
        site.start()
        site.run(1)
        true_ms = site.clock.wall_ms() + site.centre.skew_ms
        site.report()
        assert abs(true_times(site)[-1] - true_ms) < 50
        site.run(15)
    assert site.spool.figures().lost == 0


def test_a_boot_without_a_clock_and_without_a_link_goes_on_where_the_last_record_was():
    site = Site()
    site.reports(5)
    last_ms = site.clock.wall_ms()
    jump(site, -last_ms)  # 1970
    site.centre.mood = lambda request: Failure("cut")
    site.start()
    site.offset.assume_not_before(site.spool.newest_ms)
    site.report()
    site.reports(4)
    stamps = true_times(site)
    assert stamps == sorted(stamps)
    assert all(abs(stamp - last_ms) < 120_000 for stamp in stamps), "not 1970"
    site.centre.mood = lambda request: None
    site.run(120)
    assert site.offset.is_known
    true_ms = site.clock.wall_ms() + site.centre.skew_ms
    site.report()
    assert abs(true_times(site)[-1] - true_ms) < 50


@pytest.mark.parametrize(
    ("floor_ms", "ahead_ms", "expected"),
    [(None, None, 0), (-5_000, None, 0), (5_000, None, 5_000), (5_000, -7_000, -7_000), (-5_000, 900, 900)],
)
def test_what_is_measured_counts_more_than_what_is_assumed(floor_ms, ahead_ms, expected):
    clock = StillClock()
    offset = Offset(clock)
    if floor_ms is not None:
        offset.assume_not_before(clock.wall_ms() + floor_ms)
    if ahead_ms is not None:
        offset.measure(clock.wall_ms() + ahead_ms, clock.monotonic(), clock.monotonic())
    clock.pass_(100)
    assert offset.offset_ms() == expected
