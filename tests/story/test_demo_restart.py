"""The centre is away for less than a minute and comes back: nobody is called for what it has not heard yet."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from paged_demo import paged_demo

from collector.world.demo.demo import CENTRE

pytestmark = pytest.mark.slow
BEGIN = datetime(2026, 11, 17, 8, 50, tzinfo=ZoneInfo("Asia/Seoul"))


@pytest.mark.parametrize("seed", [7, 8])
def test_systems_whose_members_come_back_one_by_one_call_nobody(tmp_path: Path, seed: int) -> None:
    pace = {"least_seconds": 3.0, "interval_seconds": 15.0}
    with paged_demo(tmp_path, BEGIN, seed=seed, is_small=True, **pace) as (demo, calls):
        demo.play(300)
        demo.stations[CENTRE].end()
        demo.timeline.after(40, demo.stations[CENTRE].begin)
        demo.play(240)
        assert [(call.kind, call.text) for call in calls.calls] == []
