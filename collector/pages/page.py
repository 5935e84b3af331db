"""A page as a value: what it is for, to whom, by which channel, and the closed sets of words about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

TRIGGER, ESCALATION, RECOVERY, DIGEST = "trigger", "escalation", "recovery", "digest"
FIX_WARNING, SUMMONS, TEST, VERIFY, DUTY_HOLE = "fix_warning", "summons", "test", "verify", "duty_hole"
HEARTBEAT, SUMMARY, REPLY_REFUSED = "heartbeat", "summary", "reply_refused"
KINDS = (
    TRIGGER, ESCALATION, RECOVERY, DIGEST, FIX_WARNING, SUMMONS, TEST, VERIFY, DUTY_HOLE, HEARTBEAT, SUMMARY, REPLY_REFUSED
)  # fmt: skip
CALLS = frozenset({TRIGGER, ESCALATION, DUTY_HOLE})
"""They want somebody to take the incident over: with an answer, or its end, they have no more to say."""
ANSWERED = CALLS | {SUMMONS, TEST, FIX_WARNING}
"""They carry a link to answer at."""
OF_NO_INCIDENT = frozenset({TEST, VERIFY, HEARTBEAT, SUMMARY, REPLY_REFUSED})

QUEUED, SENDING, SENT, FAILED, SUPERSEDED = "queued", "sending", "sent", "failed", "superseded"
STATES = (QUEUED, SENDING, SENT, FAILED, SUPERSEDED)
WAITING = (QUEUED, SENDING)

CRITICAL, WARNING, INFO = "critical", "warning", "info"

LINK = "{link}"
"""Stands in a stored text where the address to answer at goes: rows do not hold what answers for a person."""


def page_key(uid: str, timer: int, person: str, channel: str, address: str) -> str:
    """Which page this is: the same on every try, and for whoever does the same timer again. ASCII, 48 letters."""
    parts = "\0".join((uid, str(timer), person, channel, address))
    return f"{uid[:16]:0<16}{hashlib.sha256(parts.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a person, in the order to try them."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox."""

    id: int
    page_key: str
    root: str
    incident: int | None
    person: str
    channel: str
    address: str
    site: str
    agency: str
    kind: str
    severity: str
    language: str
    state: str
    due_at: datetime
    attempts: int
    subject: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    lease_until: datetime | None = None
    sent_at: datetime | None = None
    receipt: str = ""
    reason: str = ""
    error: str = ""
    answered_at: datetime | None = None
    answered_way: str = ""

    @property
    def answer_seconds(self) -> float | None:
        """From leaving to the answer."""
        if self.sent_at is None or self.answered_at is None:
            return None
        return (self.answered_at - self.sent_at).total_seconds()


class Why(NamedTuple):
    """What one stage said. ``person`` empty = of the incident as a whole."""

    stage: str
    outcome: str
    detail: str = ""
    person: str = ""
    channel: str = ""
