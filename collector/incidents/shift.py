"""Whose matter an incident is now, and whose answer ends the calling. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from collector.fleet.registry import Fleet
from collector.incidents.incident import Incident
from collector.rosters.duty import Called, answer, called
from collector.rosters.roster import Ground, Roster


def called_for(
    incident: Incident, rosters: Sequence[Roster], ground: Ground, fleet: Fleet, now: datetime
) -> list[Called]:
    """Rosters for the incident's place, the most particular first.

    What is of no one place, such as a hub, is for whoever is on duty everywhere; where there is no such roster, for those of
    the places it reaches. A hole in a roster is that roster's own.
    """
    found = called(rosters, ground, incident.site, incident.agency, now)
    if incident.subject_kind == "roster":
        own = [answer(one, ground, now) for one in rosters if one.id == incident.subject_id]
        return own + [each for each in found if each.roster.id != incident.subject_id]
    if found:
        return found
    for site in incident.impact.get("sites", ()):
        place = fleet.sites.get(site)
        if place is not None:
            found += called(rosters, ground, place.id, place.agency, now)
    return list({each.roster.id: each for each in found}.values())


def is_on_shift(person: str, found: Sequence[Called]) -> bool:
    """Whether this person's answer ends the calling: on duty, or named as fallback, or nobody is on duty at all."""
    duty = {name for each in found for one in each.duties for name in one.people}
    return not duty or person in duty or any(person in each.roster.fallback for each in found)
