"""From whom a step names to whom a page is made for: who sleeps hands over to who is awake, and everybody else is told why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from collector.escalation.reach import Target
from collector.incidents.incident import Incident
from collector.pages.page import CALLS, SENT, Delivery, Why
from collector.pages.quiet import NEXT, WAIT, quiet
from collector.people.person import Person
from collector.rosters.duty import Called

ON_DUTY, FALLBACK, NAMED, TEAM, PAGED_BEFORE, OTHER = "on_duty", "fallback", "named", "team", "paged_before", "other"


class Aim(NamedTuple):
    """A person to page: by which channels, because of what, and not before when."""

    person: str
    channels: tuple[str, ...]
    is_all: bool
    why: str
    due_at: datetime
    team: str = ""


def on_duty(called: Sequence[Called]) -> tuple[str, ...]:
    """Everybody on duty, in the order of calling."""
    return tuple(dict.fromkeys(person for each in called for duty in each.duties for person in duty.people))


def fallbacks(called: Sequence[Called]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(person for each in called for person in each.roster.fallback))


def enrolled(called: Sequence[Called]) -> dict[str, str]:
    """Everybody of the rosters asked, with the first roster each is on."""
    found: dict[str, str] = {}
    for each in called:
        roster = each.roster
        crews = [person for layer in roster.layers for crew in layer.crews for person in crew]
        for person in (*crews, *(member.person for member in roster.members), *roster.fallback):
            found.setdefault(person, roster.id)
    return found


def aims(targets: Sequence[Target], called: Sequence[Called], now: datetime, why: str = "") -> list[Aim]:
    """Targets with the reason each is called for."""
    duty, spare = set(on_duty(called)), set(fallbacks(called))

    def reason(target: Target) -> str:
        if target.team:
            return TEAM
        return why or (ON_DUTY if target.person in duty else FALLBACK if target.person in spare else NAMED)

    return [Aim(one.person, one.channels, one.is_all, reason(one), now, one.team) for one in targets]


def awake(
    wanted: Sequence[Aim], called: Sequence[Called], people: Mapping[str, Person], severity: str, now: datetime
) -> tuple[list[Aim], list[Why]]:
    """Quiet hours: who sleeps hands over to one on duty who does not, or waits till they are over."""
    found: list[Aim] = []
    whys: list[Why] = []
    duty = [people[name] for name in on_duty(called) if name in people]
    for aim in wanted:
        person = people.get(aim.person)
        if person is None or aim.team:  # a summons is somebody's own decision, and wakes
            found.append(aim)
            continue
        answer, at = quiet(person, severity, duty, now)
        if answer == NEXT:
            other = next(one for one in duty if one.id != aim.person and not one.is_quiet(now))
            whys.append(Why("quiet", "quiet_next", f"handed to {other.id}", aim.person))
            if other.id not in {one.person for one in (*wanted, *found)}:
                channels = tuple(dict.fromkeys(contact.channel for contact in other.contacts))
                found.append(Aim(other.id, channels, False, OTHER, now))
            continue
        if answer == WAIT:
            whys.append(Why("quiet", "quiet_wait", f"until {at.isoformat()}", aim.person))
        found.append(aim._replace(due_at=max(aim.due_at, at)))
    return found, whys


def left_out(called: Sequence[Called], wanted: Sequence[Aim]) -> list[Why]:
    """Why everybody else on the rosters involved is not called by this step."""
    told, duty, spare = {aim.person for aim in wanted}, set(on_duty(called)), set(fallbacks(called))
    whys = [Why("route", "duty_hole", each.roster.id) for each in called if each.is_hole]
    if not called:
        whys.append(Why("route", "no_roster", "no roster is for this place"))
    for person, roster in enrolled(called).items():
        if person not in told:
            outcome = "not_yet" if person in duty else "spare" if person in spare else "not_on_duty"
            whys.append(Why("route", outcome, roster, person))
    return whys


def told(before: Sequence[Delivery]) -> tuple[Target, ...]:
    """Who was called, by the channels that reached them; who never was, because it still waited, need not hear the end."""
    found: dict[str, dict[str, None]] = {}
    for page in before:
        if page.kind in CALLS and (page.attempts or page.state == SENT):
            ways = found.setdefault(page.person, {})
            if page.state == SENT:
                ways[page.channel] = None
    return tuple(Target(person, tuple(ways)) for person, ways in found.items())


def owners(incident: Incident, everyone: Mapping[str, Person]) -> tuple[Target, ...]:
    """Whoever has it: named as a person or by their login."""
    names = {name for name in (incident.assignee, incident.acknowledged_by, incident.acknowledged_for) if name}
    people = [one for one in everyone.values() if one.id in names or (one.login and one.login in names)]
    return tuple(Target(one.id, tuple(dict.fromkeys(c.channel for c in one.contacts))) for one in people)
