"""What the pages of incidents show, from rows: values only, no words, no markup. What a tenant may see of one is
``collector.incidents.seen``'s to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from collector.incidents.incident import ACKNOWLEDGED, TRIGGERED, Incident
from collector.incidents.signal import INFO, SEVERITIES
from collector.pages.pipeline import PASSED
from collector.pages.why import IncidentWhy, PersonWhy

SHAPES = {"critical": "4", "warning": "3", "info": "i"}
"""Severities borrow the outlines of states: what is critical looks like what is down."""
ORDER = {TRIGGERED: 0, ACKNOWLEDGED: 1}
SHOWN_SIGNALS = 50


class Step(NamedTuple):
    """One of 발생, 인지, 전파, 조치, 복구; ``at`` None = not yet."""

    name: str
    at: datetime | None


class Clock(NamedTuple):
    """The time to fix. ``share`` of it that is used, at most 1; ``state`` 0 well, 3 from 80 %, 4 over."""

    due_at: datetime
    seconds_left: float
    share: float
    state: int
    is_stopped: bool


def in_order(found: Iterable[Incident]) -> list[Incident]:
    """What waits for an answer first, the gravest first in it, then the newest; what is only told of comes last."""
    return sorted(
        found,
        key=lambda i: (i.severity == INFO, ORDER.get(i.state, 2), SEVERITIES.index(i.severity), i.priority, -i.number),
    )


def touching(found: Iterable[Incident], site: str, host: str = "") -> list[Incident]:
    """Those about a place, or that reach it; in order."""
    kind, name = ("hosts", host) if host else ("sites", site)
    own = ("host", host) if host else ("site", site)
    return in_order(
        each
        for each in found
        if each.subject == own or (not host and each.site == site) or name in each.impact.get(kind, ())
    )


def waits(incident: Incident) -> bool:
    """Whether somebody has to answer, and nobody has."""
    return incident.state == TRIGGERED and incident.severity != INFO


def steps(incident: Incident) -> tuple[Step, ...]:
    return (
        Step("occurred", incident.occurred_at),
        Step("told", incident.paged_at),
        Step("noticed", incident.acknowledged_at),
        Step("acted", incident.action_at),
        Step("recovered", incident.recovered_at),
    )


def clock(incident: Incident, now: datetime) -> Clock | None:
    """None where no clock for fixing runs."""
    if incident.fix_due_at is None:
        return None
    until = incident.recovered_at or now
    whole = (incident.fix_due_at - incident.occurred_at).total_seconds()
    left = (incident.fix_due_at - until).total_seconds()
    share = 1.0 if left <= 0 or whole <= 0 else max(0.0, 1 - left / whole)
    state = 4 if left <= 0 else 3 if share >= 0.8 else 0
    return Clock(incident.fix_due_at, left, share, state, incident.recovered_at is not None)


def to_silence(incident: Incident, labels: Mapping[str, str]) -> dict[str, str]:
    """The form of a silence filled in for an incident, by the labels of what it stands on."""
    found = {"alert": labels.get("alertname", ""), "site": incident.site, "host": labels.get("instance", "")}
    name = labels.get(incident.subject_kind, "")
    if incident.subject_kind not in ("site", "host") and name:
        found["more"] = f'{incident.subject_kind}="{name}"'
    return {key: value for key, value in found.items() if value}


def duration_seconds(incident: Incident, now: datetime) -> float:
    return ((incident.recovered_at or now) - incident.occurred_at).total_seconds()


def told_apart(why: IncidentWhy) -> tuple[PersonWhy, ...]:
    """Those of whom there is more to say than of the incident as a whole: what holds for everybody is said once."""
    return tuple(one for one in why.people if one.pages or why.outcome == PASSED or one.outcome != why.outcome)


def why_at(why: IncidentWhy) -> datetime | None:
    """When what holds it back ends, where that is known."""
    return datetime.fromisoformat(why.detail) if why.outcome in ("not_due", "snoozed") and why.detail else None
