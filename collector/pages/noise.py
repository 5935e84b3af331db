"""Noise review: how often people are called in a shift, how much of it led anybody to act, and which rules call in vain. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from collector.incidents.incident import Incident
from collector.rosters.roster import Shift

BRIEF = timedelta(minutes=5)


class Call(NamedTuple):
    """A page that called somebody."""

    incident: int
    person: str
    at: datetime


class RuleNoise(NamedTuple):
    """``acted_ratio``: of its incidents, those somebody acted on; None without any. ``brief``: over within five minutes and
    never acknowledged."""

    reason: str
    pages: int
    incidents: int
    acted_ratio: float | None
    brief: int


class ShiftNoise(NamedTuple):
    roster: str
    began_at: datetime
    ended_at: datetime
    people: tuple[str, ...]
    pages: int


class Noise(NamedTuple):
    pages: int
    incidents: int
    acted: int
    shifts: tuple[ShiftNoise, ...]
    rules: tuple[RuleNoise, ...]

    @property
    def acted_ratio(self) -> float | None:
        return self.acted / self.incidents if self.incidents else None

    @property
    def pages_per_shift(self) -> float | None:
        return sum(one.pages for one in self.shifts) / len(self.shifts) if self.shifts else None


def led_to_action(incident: Incident) -> bool:
    """Whether somebody did more than to say that they had seen it."""
    return incident.action_at is not None or bool(incident.assignee or incident.cause_text)


def is_brief(incident: Incident) -> bool:
    return (
        incident.acknowledged_at is None
        and incident.recovered_at is not None
        and incident.recovered_at - incident.occurred_at < BRIEF
    )


def review(
    calls: Sequence[Call], incidents: Iterable[Incident], shifts: Mapping[str, Sequence[Shift]], most: int = 20
) -> Noise:
    """``incidents``: those of the calls. ``shifts``: of each roster, those of the time looked at."""
    known = {incident.number: incident for incident in incidents}
    by_reason: dict[str, list[Incident]] = {}
    for incident in known.values():
        by_reason.setdefault(incident.reason, []).append(incident)
    count: dict[str, int] = {}
    for call in calls:
        if call.incident in known:
            reason = known[call.incident].reason
            count[reason] = count.get(reason, 0) + 1
    rules = [
        RuleNoise(
            reason,
            count.get(reason, 0),
            len(found),
            sum(map(led_to_action, found)) / len(found),
            sum(map(is_brief, found)),
        )
        for reason, found in by_reason.items()
    ]
    rules.sort(key=lambda rule: (-rule.pages, rule.reason))
    told = [
        ShiftNoise(
            roster,
            shift.began_at,
            shift.ended_at,
            shift.people,
            sum(shift.began_at <= call.at < shift.ended_at and call.person in shift.people for call in calls),
        )
        for roster, of in shifts.items()
        for shift in of
    ]
    return Noise(len(calls), len(known), sum(map(led_to_action, known.values())), tuple(told), tuple(rules[:most]))
