"""A clock set weeks ahead makes everything look too old to be kept: then nothing is taken, and nothing is let go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from centre import NOW_MS, Centre, HandClock, problem
from sender import request
from sqlalchemy import func, select

from agent.link.leap import Leap
from collector.errors import CollectorError
from collector.history.retention import RetentionJob
from collector.jobs import ByAge
from collector.log.tables import envelopes, losses

DAYS_16 = 16 * 86_400_000


@dataclass
class SetClock(HandClock):
    """``set_by_ms``: by how much somebody set the wall clock."""

    set_by_ms: int = 0

    def wall_ms(self) -> int:
        return self.now_ms + self.set_by_ms


def counts(centre: Centre) -> tuple[int, int]:
    with centre.store.reading() as connection:
        return (
            connection.execute(select(func.count()).select_from(envelopes)).scalar() or 0,
            connection.execute(select(func.count()).select_from(losses)).scalar() or 0,
        )


def test_nothing_is_taken_or_deleted_until_the_clock_is_back(centre: Centre) -> None:
    clock = SetClock()
    centre.stop()
    centre.clock = clock
    centre.start()
    leap = Leap(clock)
    centre.intake.clock_trouble = leap.words
    sender = centre.enrolled()
    assert centre.post(request(sender.report(NOW_MS)))[0] == 200
    second = request(sender.report(NOW_MS))
    clock.set_by_ms = DAYS_16
    status, _, body = centre.post(second)
    assert (status, problem(body)["code"]) == (503, "clock")
    assert "forward by 16.0 days" in problem(body)["detail"]
    retention = ByAge(RetentionJob(centre.store, raw_days=15), leap)
    with pytest.raises(CollectorError, match=r"forward by 16\.0 days"):
        retention.step(datetime.fromtimestamp(clock.wall_ms() / 1000, UTC) + timedelta(minutes=1))
    assert counts(centre) == (1, 0)
    clock.set_by_ms = 0
    assert centre.post(second)[0] == 200
    assert counts(centre) == (2, 0)
