"""Who would be called for a site, one after the other, if something critical broke there and nobody answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from collector.escalation.policy import Policy
from collector.escalation.reach import reach
from collector.people.person import Person, Team
from collector.rosters.asked import next_change
from collector.rosters.duty import Called
from collector.rosters.roster import Ground, Roster


class Turn(NamedTuple):
    """A step: after so long without an answer these people are called."""

    after_seconds: int
    people: tuple[str, ...]
    teams: tuple[str, ...]


class Change(NamedTuple):
    """When other people take over, and who; ``at`` None = not within eight days."""

    roster: Roster
    at: datetime | None
    people: tuple[str, ...]


def turns(
    policy: Policy,
    called: Sequence[Called],
    people: Mapping[str, Person],
    teams: Mapping[str, Team],
    named: Mapping[str, Called],
) -> list[Turn]:
    """Each step of a policy as it would go while nobody answers."""
    tried: dict[str, set[str]] = {}
    found = []
    for step in policy.steps:
        targets = reach(step, called, people, tried, teams, named)
        for target in targets:
            used = target.channels if target.is_all else target.channels[:1]
            tried.setdefault(target.person, set()).update(used or ("",))
        names = tuple(dict.fromkeys(target.person for target in targets))
        found.append(
            Turn(step.after_seconds, names, tuple(dict.fromkeys(target.team for target in targets if target.team)))
        )
    return found


def changes(called: Sequence[Called], ground: Ground, at: datetime) -> list[Change]:
    """What comes after those who are on duty at ``at``."""
    return [Change(each.roster, *next_change(each.roster, ground, at)) for each in called if each.roster.layers]
