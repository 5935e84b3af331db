"""What a timer is for, and who does its work."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

STEP, REACK, UNSNOOZE, RESOLVED, DIGEST, TEST, SUMMONS = (
    "step",
    "reack",
    "unsnooze",
    "resolved",
    "digest",
    "test",
    "summons",
)
FIX_50, FIX_80, FIX_100 = "fix_50", "fix_80", "fix_100"
FIX = (FIX_50, FIX_80, FIX_100)
PAGED = (STEP, RESOLVED, *FIX, DIGEST, TEST)
"""Somebody is told when it is due: the work of pages."""
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
