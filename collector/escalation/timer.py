"""What a timer is for, and who does its work."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

STEP, CALL_IN, REACK, UNSNOOZE, RESOLVED, DIGEST, TEST, SUMMONS = (
    "step",
    "call_in",
    "reack",
    "unsnooze",
    "resolved",
    "digest",
    "test",
    "summons",
)
FIX_50, FIX_80, FIX_100 = "fix_50", "fix_80", "fix_100"
FIX = (FIX_50, FIX_80, FIX_100)
PAGED = (STEP, CALL_IN, RESOLVED, *FIX, DIGEST, TEST)
"""Somebody is told when it is due: the work of pages. ``call_in``: those somebody summoned by hand."""
JUDGED = (REACK, UNSNOOZE, SUMMONS)
"""The incident changes when it is due, and a step follows: the work of incidents. ``summons`` looks whether anybody of
those called in has answered."""
KINDS = (*PAGED, *JUDGED)
PURSUIT = (STEP, REACK, UNSNOOZE, SUMMONS)
"""What goes on until somebody answers; ended when an incident is."""


class Timer(NamedTuple):
    id: int
    incident: int | None
    kind: str
    step: int
    due_at: datetime
