import pytest
from still_clock import StillClock

from agent.link.leap import Leap

DAY = 86_400.0


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([(10 * DAY, 0.0)], ""),  # time passed, nothing else
        ([(60.0, 3600.0)], ""),
        ([(60.0, -3600.0)], ""),
        ([(60.0, 0.9 * DAY)] * 30, ""),  # steps are followed, however many
        ([(60.0, 16 * DAY)], "forward by 16.0 days"),
        ([(60.0, -3650 * DAY)], "back by 3650.0 days"),
        ([(60.0, 16 * DAY), (DAY, 0.0)], "forward by 16.0 days"),
        ([(60.0, 16 * DAY), (60.0, -16 * DAY)], ""),  # set right again
    ],
)
def test_only_a_leap_is_told(steps, said):
    clock = StillClock()
    leap = Leap(clock)
    for passed, moved in steps:
        clock.pass_(passed)
        clock.wall_shift_ms += round(moved * 1000)
        words = leap.words()
    assert said in words if said else words == ""
