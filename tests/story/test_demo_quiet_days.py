"""Two of the thirty quiet days, on one of which clocks go back in North America: nobody is called. Then one fault.

All thirty are in ``make soak`` (``tests/quiet_month.py``); this is the beginning of one of their windows.
"""

from __future__ import annotations

import pytest
from quiet_month import play_window

pytestmark = pytest.mark.slow
FROM_OCTOBER_31ST = 7


def test_two_quiet_days_call_nobody_and_then_one_fault_those_it_should() -> None:
    played = play_window(FROM_OCTOBER_31ST, days=2, tell=print, person="lee")
    assert played.wrong == []
    assert sum(played.happened.values()) >= 12
