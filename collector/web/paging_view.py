"""What the page of calls shows, from rows: values only, no words, no markup."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from collector.pages.noise import Noise, RuleNoise, ShiftNoise
from collector.pages.page import FAILED, SENT, Delivery
from collector.people.person import Person
from collector.rosters.roster import Ground, Roster
from collector.rosters.shifts import shifts

NOISY_PAGES, NOISY_RATIO = 3, 0.3
"""A rule that called this often, and of whose incidents no more than this share led anybody to act, is worth a look."""
WORST = 5
AHEAD = timedelta(days=7)


class Tried(NamedTuple):
    """A page as it went, whatever channels it took; ``incident`` None: a test."""

    incident: int | None
    person: str
    channel: str
    made_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    seconds: float | None
    has_failed: bool


class RosterNoise(NamedTuple):
    roster: str
    shifts: int
    calm: int
    """Shifts in which nobody was called."""
    pages: int
    worst: tuple[ShiftNoise, ...]

    @property
    def per_shift(self) -> float:
        return self.pages / self.shifts if self.shifts else 0.0


def tried(pages: Iterable[Delivery]) -> list[Tried]:
    """Each page once, the newest first: by the channel it left by, or the last one tried."""
    by_root: dict[str, list[Delivery]] = {}
    for page in pages:
        by_root.setdefault(page.root, []).append(page)
    found = []
    for rows in by_root.values():
        rows.sort(key=lambda row: (row.answered_at is not None, row.state == SENT, row.id))
        best, made_at = rows[-1], min(row.created_at or row.due_at for row in rows)
        found.append(
            Tried(
                best.incident,
                best.person,
                best.channel,
                made_at,
                best.sent_at,
                best.answered_at,
                best.answer_seconds,
                all(row.state == FAILED for row in rows),
            )
        )
    return sorted(found, key=lambda one: (one.made_at, one.person), reverse=True)


def middle_seconds(found: Iterable[Tried]) -> float | None:
    """The middle of the times to answer; None where nobody did."""
    known = [one.seconds for one in found if one.seconds is not None]
    return median(known) if known else None


def by_roster(noise: Noise) -> list[RosterNoise]:
    """The loudest first."""
    found: dict[str, list[ShiftNoise]] = {}
    for shift in noise.shifts:
        found.setdefault(shift.roster, []).append(shift)
    made = [
        RosterNoise(
            roster,
            len(of),
            sum(one.pages == 0 for one in of),
            sum(one.pages for one in of),
            tuple(sorted((one for one in of if one.pages), key=lambda one: (-one.pages, one.began_at))[:WORST]),
        )
        for roster, of in found.items()
    ]
    return sorted(made, key=lambda one: (-one.pages, one.roster))


class Deaf(NamedTuple):
    """Somebody who will be on duty, or stands in, and whom no call would reach. ``why``: unknown, no_address, unverified,
    not_configured; ``at`` None: a fallback, who may be called any time."""

    person: str
    roster: Roster
    at: datetime | None
    why: str


def deaf(
    rosters: Iterable[Roster],
    ground: Ground,
    people: Mapping[str, Person],
    configured: Container[str],
    now: datetime,
) -> list[Deaf]:
    """Each once, with the first time it matters within a week; the soonest first, those who stand in last."""
    found: dict[str, Deaf] = {}
    for roster in rosters:
        turns = [(shift.began_at, name) for shift in shifts(roster, ground, now, now + AHEAD) for name in shift.people]
        for at, name in (*sorted(turns), *((None, name) for name in roster.fallback)):
            why = why_deaf(people.get(name), configured)
            known = found.get(name)
            if why and (known is None or _sooner(at, known.at)):
                found[name] = Deaf(name, roster, at, why)
    return sorted(found.values(), key=lambda one: (one.at is None, one.at or now, one.person))


def why_deaf(person: Person | None, configured: Container[str]) -> str:
    """Empty where a call would find a way."""
    if person is None:
        return "unknown"
    if not person.contacts:
        return "no_address"
    proven = [contact for contact in person.contacts if contact.verified_at is not None]
    if not proven:
        return "unverified"
    return "" if any(contact.channel in configured for contact in proven) else "not_configured"


def _sooner(at: datetime | None, known: datetime | None) -> bool:
    return at is not None and (known is None or at < known)


def is_noisy(rule: RuleNoise) -> bool:
    return rule.pages >= NOISY_PAGES and rule.acted_ratio is not None and rule.acted_ratio <= NOISY_RATIO


def noisy(rules: Sequence[RuleNoise]) -> set[str]:
    return {rule.reason for rule in rules if is_noisy(rule)}
