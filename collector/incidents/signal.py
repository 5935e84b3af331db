"""A signal: one disturbance as verdicts or an alert tell it. The same key as long as it is the same disturbance."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from collector.history.source import LabelSet
from collector.verdicts.standing import Fact

CRITICAL, WARNING, INFO = "critical", "warning", "info"
SEVERITIES = (CRITICAL, WARNING, INFO)
"""The worst first."""
VERDICT = "verdict"
"""Source of what verdicts tell; alerts' sources are theirs."""


class Signal(NamedTuple):
    key: str
    """A verdict's cause (``hub:mea``), or ``alert:`` and the fingerprint."""
    source: str
    severity: str
    subject: tuple[str, str]
    """(kind, id) of what it is about; an alert that names nothing of ours: ("alert", its name)."""
    site: str
    agency: str
    reason: str
    """Reason code of verdicts, or the alert's name."""
    since_ms: int
    due_ms: int | None
    """From when on anybody may be told. None = not yet: a parent is not judged, or it flaps."""
    affected: tuple[tuple[str, str], ...]
    evidence: tuple[Fact, ...]
    labels: LabelSet
    annotations: LabelSet
    is_active: bool
    ended_ms: int | None = None
    """When it ended, where it says so itself."""
    is_late: bool = False
    """It began and ended in the past, and was heard of only now: nobody is paged for it."""
    hides: bool = False
    """What lies behind it cannot be told apart from it: it is silent, or down."""
    down: tuple[str, ...] = ()
    """Systems among those affected that nobody can use."""
    hold_ms: int = 0
    """How long it has to look grave before that is believed, where that is longer than the escalation's own hold."""


def uid_of(key: str, since_ms: int) -> str:
    """32 hexadecimal digits that are the same wherever the same disturbance is judged."""
    return hashlib.sha256(f"{key}\0{since_ms}".encode()).hexdigest()[:32]


def worst(*severities: str) -> str:
    return min(severities, key=SEVERITIES.index)
