"""Whom a step reaches, and on which channels, by who is on duty now and who was tried before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from collector.escalation.policy import (
    ALL,
    ALL_ON_DUTY,
    FALLBACK,
    FIRST,
    NEXT,
    NEXT_ON_DUTY,
    ON_DUTY,
    ROUND_ROBIN,
    Step,
)
from collector.people.person import Person, Team
from collector.rosters.duty import Called


class Target(NamedTuple):
    """``channels`` are to be tried in this order; ``is_all``: every one of them at once. Empty = no address is known.
    ``team`` is the one they are called in for (비상소집), empty otherwise."""

    person: str
    channels: tuple[str, ...]
    is_all: bool = False
    team: str = ""


def reach(
    step: Step,
    called: Sequence[Called],
    people: Mapping[str, Person],
    tried: Mapping[str, Set[str]],
    teams: Mapping[str, Team] | None = None,
    rosters: Mapping[str, Called] | None = None,
    turn: int = 0,
) -> tuple[Target, ...]:
    """Each person once, in the order of calling.

    ``tried`` has the channels each person was paged on for this incident; whoever was not is best told where nobody was
    yet, for a channel that nobody answers on may be what is broken. ``rosters`` answers for those a step names;
    ``turn`` (the incident's number, say) is whose turn it is where one of several is wanted. Where anybody is on duty,
    at least one of them is among those found, whoever else is named.
    """
    on_duty = _on_duty(called)
    found: dict[str, str] = {}
    for word in step.notify:
        kind, _, name = word.partition(":")
        team = name if kind == "summons" else ""
        for person in _of_word(kind, name, called, on_duty, tried, teams or {}, rosters or {}):
            found.setdefault(person, team)
    names = list(found)
    if step.mode == ROUND_ROBIN and names:
        names = [names[turn % len(names)]]
    if names and on_duty and not set(on_duty).intersection(names) and not any(found[name] for name in names):
        names.append(on_duty[0])  # whoever is off shift is never the only one who knows
    if not names:
        names = list(on_duty[:1]) or list(_fallback(called))
    unheard = frozenset[str]().union(*tried.values())
    return tuple(
        _target(name, step.channel, people.get(name), tried.get(name, unheard), found.get(name, "")) for name in names
    )


def _of_word(
    kind: str,
    name: str,
    called: Sequence[Called],
    on_duty: tuple[str, ...],
    tried: Mapping[str, Set[str]],
    teams: Mapping[str, Team],
    rosters: Mapping[str, Called],
) -> Iterable[str]:
    if kind == ON_DUTY:
        return _first(called)
    if kind == NEXT_ON_DUTY:
        order = tuple(dict.fromkeys((*on_duty, *_fallback(called))))
        untried = [person for person in order if not tried.get(person)]
        return untried[:1] or order[:1]
    if kind == ALL_ON_DUTY:
        return on_duty
    if kind == FALLBACK:
        return _fallback(called)
    if kind == "roster":
        return rosters[name].people if name in rosters else ()
    if kind in ("team", "summons"):
        return teams[name].members if name in teams else ()
    assert kind == "person", kind
    return (name,)


def _on_duty(called: Sequence[Called]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(person for each in called for duty in each.duties for person in duty.people))


def _first(called: Sequence[Called]) -> tuple[str, ...]:
    """The first layer of the most particular roster that has anybody; its fallback where nobody is on duty anywhere."""
    for each in called:
        if each.duties:
            return each.duties[0].people
    return _fallback(called)


def _fallback(called: Sequence[Called]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(person for each in called for person in each.roster.fallback))


def _target(name: str, channel: str, person: Person | None, tried: Set[str], team: str) -> Target:
    own = tuple(dict.fromkeys(contact.channel for contact in person.contacts)) if person else ()
    if channel == ALL:
        return Target(name, own, is_all=True, team=team)
    if channel == NEXT:
        fresh = tuple(each for each in own if each not in tried)
        return Target(name, (*fresh, *(each for each in own if each in tried)), team=team)
    if channel != FIRST and channel in own:
        return Target(name, (channel, *(each for each in own if each != channel)), team=team)
    return Target(name, own, team=team)
