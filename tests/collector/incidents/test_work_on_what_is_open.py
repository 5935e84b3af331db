"""Agreed work begins on what is open: that it began ends nothing, and afterwards it is judged by what is true."""

from __future__ import annotations

import pytest
from told_signals import Told, verdict

from collector.incidents.from_verdicts import is_worked_on
from collector.verdicts import reasons as r
from collector.verdicts.standing import DOWN, MAINTENANCE, PlaceStanding, Standing

AWAY = verdict("site:away")
SITE = frozenset({("site", "away")})


# What is worked on from 120 s to 3,600 s | bad from, to | what came of it at 4,200 s | what its course says of it.
SITUATIONS = [
    (SITE, 0, None, "triggered", ["opened", "work_began", "work_over"]),
    (SITE, 0, 120, "resolved", ["opened", "work_began", "work_over", "recovered", "resolved"]),
    (SITE, 110, 120, "closed", ["opened", "recovered", "closed_quietly"]),  # nobody was told before it began
    (frozenset({("site", "here")}), 0, 120, "resolved", ["opened", "recovered", "resolved"]),  # other work
]


@pytest.mark.parametrize(("worked", "begins", "ends", "state", "course"), SITUATIONS)
def test_that_work_began_ends_nothing(
    told: Told, worked: frozenset[tuple[str, str]], begins: int, ends: int | None, state: str, course: list[str]
) -> None:
    told.at(0)
    told.at(begins, verdict("site:away", since=begins))
    told.until(110)
    told.worked = worked
    told.at(120)  # verdicts say nothing of what is worked on
    told.restart()
    told.until(3590, by=60)
    if worked == SITE and begins == 0:
        assert told.one().state == "triggered"
        assert told.one().recovered_at is None
    told.worked = frozenset()
    told.at(3600, *([AWAY] if ends is None else []))
    told.until(4200, by=30)
    assert told.one().state == state
    assert [kind for kind in told.events(1) if kind != "paged"] == course


def test_only_what_is_in_a_window_itself(told: Told) -> None:
    def stands(state: int, reason: str) -> Standing:
        return Standing(sites={}, hubs={"mea": PlaceStanding(state, 0, reason)})

    assert is_worked_on(stands(MAINTENANCE, r.UNDER_MAINTENANCE), "hub", "mea")
    assert is_worked_on(stands(MAINTENANCE, r.PLANNED_SHUTDOWN), "hub", "mea")
    assert not is_worked_on(stands(MAINTENANCE, r.BEHIND_WORK), "hub", "mea")
    assert not is_worked_on(stands(DOWN, r.UNDER_MAINTENANCE), "hub", "mea")
    assert not is_worked_on(Standing(), "cable", "x")
