"""Two of the thirty quiet days, those on which clocks go back in Europe and Beirut: nobody is called. Then one fault.

All thirty are in ``make soak`` (``tests/quiet_month.py``); this is the beginning of one of their windows.
"""

from __future__ import annotations

import pytest
from quiet_month import play_window

pytestmark = pytest.mark.slow
OCTOBER_25TH = 5


def test_two_quiet_days_call_nobody_and_then_one_fault_those_it_should() -> None:
    played = play_window(OCTOBER_25TH, days=2, tell=print)
    assert played.wrong == []
    assert sum(played.happened.values()) >= 12
    assert len(played.loud) >= 1
