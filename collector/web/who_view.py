"""Who would be called for a site and who is on duty, as pages show it: names in the reader's language, no addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from collector.pages.page import CRITICAL
from collector.pages.who import Call, Who
from collector.pages.who_queries import Told
from collector.people.person import Contact, Person
from collector.people.queries import Book
from collector.rosters.asked import names_of, next_change
from collector.rosters.duty import Called
from collector.rosters.roster import Ground, Roster


class CallLine(NamedTuple):
    """``is_deaf``: no page can reach them, as far as the reader may know. ``waits_until``: they sleep and are told then."""

    name: str
    is_fallback: bool
    is_deaf: bool
    waits_until: datetime | None


class TurnLine(NamedTuple):
    """A step: after so long without an answer these are called; ``is_one_of``: one of them. ``teams`` = called in."""

    after_seconds: int
    calls: tuple[CallLine, ...]
    teams: str
    is_one_of: bool


class WhoLines(NamedTuple):
    turns: tuple[TurnLine, ...]
    repeat_seconds: int
    holes: tuple[Roster, ...]
    fallback: str
    """Names of those who stand in; empty where there are none."""
    is_anybody: bool
    severity: str
    is_calm: bool
    """No step calls anybody for what is less than critical, and none is meant to."""


class DutyLine(NamedTuple):
    """A roster: who is on duty. Without anybody it is a hole, or a time in which nobody needs to be there."""

    roster: Roster
    people: str
    fallback: str
    is_hole: bool


class ReachedRow(NamedTuple):
    """Somebody on a roster and how they are reached, as far as the reader may know; ``layer`` empty: they stand in."""

    person: str
    roster: Roster
    layer: str
    contacts: tuple[Contact, ...]
    is_quiet: bool


class Change(NamedTuple):
    """When other people take over, and who; ``at`` None = not within eight days."""

    roster: Roster
    at: datetime | None
    people: tuple[str, ...]


def who_lines(told: Told, language: str, may_reach: Callable[[Person], bool]) -> WhoLines:
    found, book = told

    def line(call: Call) -> CallLine:
        known = book.people.get(call.person)
        is_told = known is None or may_reach(known)
        waits = call.waits_until if is_told else None
        name = names_of(book, (call.person,), language)
        return CallLine(name, call.why == "fallback", bool(call.trouble) and is_told, waits)

    turns = tuple(
        TurnLine(turn.after_seconds, tuple(map(line, turn.calls)), _teams(turn.teams, book, language), turn.is_one_of)
        for turn in found.turns
    )
    holes = tuple(each.roster for each in found.called if each.is_hole)
    return WhoLines(
        turns, found.policy.repeat_seconds, holes, names_of(book, found.fallback, language), _is_anybody(found),
        found.severity, found.severity != CRITICAL and not found.policy.steps,
    )  # fmt: skip


def rows(told: Told, may_reach: Callable[[Person], bool]) -> tuple[list[ReachedRow], list[ReachedRow]]:
    """Those on duty and, apart from them, those who stand in; each once, in the order of rosters."""
    found, book = told

    def row(person: str, roster: Roster, layer: str) -> ReachedRow:
        known = book.people.get(person)
        if known is None or not may_reach(known):
            return ReachedRow(person, roster, layer, (), False)
        return ReachedRow(person, roster, layer, known.contacts, known.is_quiet(found.at))

    on_duty: dict[str, ReachedRow] = {}
    fallback: dict[str, ReachedRow] = {}
    for each in found.called:
        for duty in each.duties:
            for person in duty.people:
                on_duty.setdefault(person, row(person, each.roster, duty.layer))
        for person in each.roster.fallback:
            if person in found.fallback:
                fallback.setdefault(person, row(person, each.roster, ""))
    return list(on_duty.values()), list(fallback.values())


def duty_lines(found: Iterable[Called], book: Book, language: str) -> list[DutyLine]:
    """In the order given."""
    return [
        DutyLine(
            each.roster,
            names_of(book, dict.fromkeys(person for duty in each.duties for person in duty.people), language),
            names_of(book, each.fallback, language),
            each.is_hole,
        )
        for each in found
    ]


def changes(called: Sequence[Called], ground: Ground, at: datetime) -> list[Change]:
    """What comes after those who are on duty at ``at``."""
    return [Change(each.roster, *next_change(each.roster, ground, at)) for each in called if each.roster.layers]


def _is_anybody(found: Who) -> bool:
    return any(turn.calls for turn in found.turns)


def _teams(teams: Iterable[str], book: Book, language: str) -> str:
    found = (book.teams.get(team) for team in teams)
    return ", ".join((one.name_ko if language == "ko" else one.name_en) or one.id for one in found if one is not None)
