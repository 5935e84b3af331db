"""The disaster board: how much of each grade serves again, and what does not. Values only, no words, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from collector.agencies.outage_notes import OutageNote
from collector.verdicts.standing import MAINTENANCE
from collector.web.systems_view import SERVING, SystemLine


class Lacking(NamedTuple):
    """A system that does not serve; ``expected_at`` None = nobody has said when it will."""

    line: SystemLine
    workaround: str
    expected_at: datetime | None
    is_late: bool
    """It was to be back by now."""


def lacking(lines: Iterable[SystemLine], notes: Mapping[str, OutageNote], now: datetime) -> tuple[Lacking, ...]:
    """The most important first, in a grade the longest out first. Agreed work is no outage."""
    found = []
    for line in lines:
        state, since_ms = line.verdict.state, line.verdict.since_ms
        if state in SERVING or state == MAINTENANCE:
            continue
        note = notes.get(line.system.id)
        expected_at = note.expected_in(since_ms) if note is not None else None
        is_late = expected_at is not None and expected_at < now
        found.append(Lacking(line, note.workaround if note is not None else "", expected_at, is_late))
    return tuple(
        sorted(found, key=lambda one: (one.line.system.grade, one.line.verdict.since_ms or 0, one.line.system.id))
    )
