"""When an alert of others begins and ends."""

from __future__ import annotations

import pytest

from collector.alerts.received import BadAlert, Sent, merged

LABELS = (("alertname", "DiskFull"),)
MIN = 60_000


def course(*steps: tuple[int, int | None, int | None, bool]) -> list[tuple[int, int | None, bool]]:
    """(minute it is sent at, begins, ends, said to be over) -> (began, over as seen one minute later, backfilled)."""
    known, seen = None, []
    for at, starts, ends, is_over in steps:
        times = [None if one is None else one * MIN for one in (starts, ends)]
        known = merged(known, Sent(LABELS, (), "", *times, is_over), "alertmanager", "x", at * MIN, 5 * MIN)
        over = known.over_ms((at + 1) * MIN)
        seen.append((known.started_at_ms // MIN, None if over is None else over // MIN, known.is_backfilled))
    return seen


@pytest.mark.parametrize(
    ("steps", "seen"),
    [
        ([(100, None, None, False)], [(100, None, False)]),
        ([(100, 90, None, False), (103, 91, None, False)], [(90, None, False), (90, None, False)]),
        ([(100, 90, 101, False)], [(90, 101, False)]),
        ([(100, 90, 104, False), (102, 90, 102, False)], [(90, None, False), (90, 102, False)]),
        ([(100, 90, 95, False)], [(90, 95, True)]),
        ([(100, 90, 95, False), (101, 90, 95, False)], [(90, 95, True), (90, 95, True)]),
        ([(100, 90, None, False), (120, 119, None, False)], [(90, None, False), (119, None, False)]),
        ([(100, 90, None, False), (101, 90, None, True)], [(90, None, False), (90, 101, False)]),
        ([(100, 90, None, False), (110, 90, 108, False)], [(90, None, False), (90, 108, False)]),
        ([(100, None, 95, False)], [(95, 95, True)]),
    ],
    ids=[
        "no times",
        "again",
        "ends soon",
        "resolved",
        "past",
        "past again",
        "two episodes",
        "said over",
        "late word",
        "end only",
    ],
)
def test_course(
    steps: list[tuple[int, int | None, int | None, bool]], seen: list[tuple[int, int | None, bool]]
) -> None:
    assert course(*steps) == seen


def test_an_end_before_its_beginning_is_refused() -> None:
    with pytest.raises(BadAlert, match="before end time"):
        course((100, 90, 80, False))
