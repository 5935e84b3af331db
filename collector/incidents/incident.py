"""An incident as a value, its events, and what a person may do in which state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

TRIGGERED, ACKNOWLEDGED, RESOLVED, CLOSED = "triggered", "acknowledged", "resolved", "closed"
STATES = (TRIGGERED, ACKNOWLEDGED, RESOLVED, CLOSED)
OPEN = (TRIGGERED, ACKNOWLEDGED)
WAYS = ("page", "api", "cli", "mail", "sms", "voice", "hub")
"""How somebody answered."""

EVENTS = (
    "opened",
    "joined",
    "left",
    "grew",
    "raised",
    "rejudged",
    "merged",
    "took_in",
    "split",
    "gave_back",
    "recovered",
    "came_back",
    "work_began",
    "work_over",
    "reopened",
    "closed_quietly",
    "paged",
    "acknowledged",
    "answered_off_shift",
    "silent_again",
    "assigned",
    "snoozed",
    "woke",
    "commented",
    "action",
    "resolved",
    "closed",
    "fix_warning",
    "summoned",
    "replied",
    "summons_unanswered",
    "hub_paged",
    "explained",
)
"""Kinds of events, worded in the catalogs under [incident_event]."""
BY_PEOPLE = frozenset(
    {
        "acknowledged",
        "assigned",
        "snoozed",
        "commented",
        "action",
        "replied",
        "explained",
        "summoned",
        "split",
        "gave_back",
    }
)
"""Signs of life: what puts off paging again somebody who acknowledged."""
UNDO = "undo"
"""In an event's data what only undoing it needs: nobody is shown it."""


@dataclass(frozen=True, slots=True)
class Incident:
    number: int
    uid: str
    key: str
    source: str
    state: str
    severity: str
    priority: int
    reason: str
    subject_kind: str
    subject_id: str
    site: str
    agency: str
    title_ko: str
    title_en: str
    occurred_at: datetime
    opened_at: datetime
    due_at: datetime | None = None
    paged_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_for: str = ""
    assignee: str = ""
    action_at: datetime | None = None
    recovered_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    snoozed_until: datetime | None = None
    fix_due_at: datetime | None = None
    returns: int = 0
    impact: Mapping[str, Any] = field(default_factory=dict)
    """As ``impact.as_json`` has it."""
    evidence: tuple[tuple[str, str, str, int | None], ...] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)
    """As ``escalation.policy.freeze`` has it."""
    cause_text: str = ""
    prevention_text: str = ""
    is_digest: bool = False
    is_storm: bool = False
    merged_into: int | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_told(self) -> bool:
        """Whether anybody knows of it yet."""
        return self.paged_at is not None or self.acknowledged_at is not None

    @property
    def subject(self) -> tuple[str, str]:
        return self.subject_kind, self.subject_id

    def title(self, language: str) -> str:
        return self.title_en if language == "en" else self.title_ko


class Event(NamedTuple):
    id: int
    incident: int
    at: datetime
    kind: str
    by: str
    """A login, a person's id, or empty: the collector."""
    data: Mapping[str, Any]


class SignalRow(NamedTuple):
    incident: int
    key: str
    source: str
    severity: str
    first_at: datetime
    last_at: datetime
    ended_at: datetime | None
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
