"""Whom a timer that is due pages, or why nobody: every stage in the order in which it is asked.

    of the incident   maintenance -> silence -> inhibition -> recovery barrier -> grouping
    of each person    quiet hours -> duplicate -> throttle -> route -> language and redaction

A stage of the incident lets it pass, ends it, or holds it: then the timer is asked again a little later, and whatever held
the page has to be gone by itself. Each stage says why, and what it said stays with the incident. Pure: what a stage looks at
is gathered in ``job.py`` and passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from collector.incidents.incident import Incident
from collector.pages import page as p
from collector.pages.barrier import behind_barrier
from collector.pages.duplicate import Earlier, is_duplicate
from collector.pages.inhibition import parent_of
from collector.pages.page import Route, Why
from collector.pages.recipients import Aim, awake, fallbacks, left_out, on_duty
from collector.pages.redact import OUTSIDE
from collector.pages.route import routes, unreachable
from collector.pages.throttle import throttled_until
from collector.pages.wording import Matter, Reader, Worded, word
from collector.pages.words import language_of
from collector.people.person import Person
from collector.rosters.duty import Called
from collector.verdicts.standing import Standing

PASSED = "passed"
HELD = frozenset({"maintenance", "silenced", "inhibited", "barrier"})
"""Outcomes after which the timer is asked again."""
ALWAYS = frozenset({p.RECOVERY, p.SUMMONS, p.TEST})
"""What goes out whatever holds: the end of what somebody was told of, and what a person asked for."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One timer that is due, and what the stages look at."""

    now: datetime
    incident: Incident
    kind: str
    step: int
    matter: Matter
    called: Sequence[Called] = ()
    people: Mapping[str, Person] = field(default_factory=dict)
    window: str = ""
    """The maintenance window the incident's subject is in."""
    silence: str = ""
    """The silence that covers every signal of the incident that still holds."""
    standing: Standing = field(default_factory=Standing)
    earlier: Sequence[Earlier] = ()
    """Pages of this incident made before."""
    lately: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    """By person: when pages were made for them lately, of whatever incident."""
    configured: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    outside: frozenset[str] = OUTSIDE


class Outgoing(NamedTuple):
    """A page to be: ``ways`` in the order to try them, each with what it says there."""

    person: str
    ways: tuple[tuple[Route, Worded], ...]
    due_at: datetime
    language: str
    why: str
    team: str = ""


class Answer(NamedTuple):
    whys: tuple[Why, ...]
    pages: tuple[Outgoing, ...]
    is_held: bool


# --- of the incident ---------------------------------------------------------------------------------------------------


def maintenance(ask: Ask) -> Why:
    return _held("maintenance", "maintenance", ask.window)


def silence(ask: Ask) -> Why:
    return _held("silence", "silenced", ask.silence)


def inhibition(ask: Ask) -> Why:
    incident = ask.incident
    parent = parent_of(incident.key, incident.subject, incident.site, ask.standing.causes)
    return _held("inhibition", "inhibited", parent)


def barrier(ask: Ask) -> Why:
    incident, is_known = ask.incident, ask.kind == p.ESCALATION
    return _held("barrier", "barrier", behind_barrier(incident.subject, incident.site, ask.standing, is_known))


def grouping(ask: Ask) -> Why:
    """What was merged into another incident speaks through that one."""
    speaker = ask.incident.merged_into
    return _held("grouping", "grouped", f"#{speaker}" if speaker is not None else "")


OF_INCIDENT: tuple[Callable[[Ask], Why], ...] = (maintenance, silence, inhibition, barrier, grouping)


# --- of each person ----------------------------------------------------------------------------------------------------


def quiet_hours(ask: Ask, wanted: Sequence[Aim]) -> tuple[list[Aim], list[Why]]:
    if ask.kind in (p.SUMMONS, p.TEST):
        return list(wanted), []
    return awake(wanted, ask.called, ask.people, ask.incident.severity, ask.now)


def duplicate(ask: Ask, aim: Aim) -> Why:
    kind = p.SUMMONS if aim.team else ask.kind
    is_one = is_duplicate(aim.person, kind, ask.step, ask.earlier, ask.now)
    return Why("duplicate", "duplicate" if is_one else PASSED, "", aim.person)


def throttle(ask: Ask, aim: Aim) -> tuple[Aim, Why]:
    until = throttled_until(ask.incident.severity, ask.lately.get(aim.person, ()), ask.now)
    if until is None:
        return aim, Why("throttle", PASSED, "", aim.person)
    return aim._replace(due_at=max(aim.due_at, until)), Why("throttle", "throttled", until.isoformat(), aim.person)


def route(ask: Ask, aim: Aim) -> tuple[list[Route], Why]:
    person = ask.people.get(aim.person)
    ways = routes(person, aim.channels, ask.configured, ask.failing) if person is not None else []
    if not ways:
        return [], Why("route", "no_verified_channel", unreachable(person, ask.configured), aim.person)
    return ways, Why("route", PASSED, aim.why, aim.person, ways[0].channel)


def language_and_redaction(ask: Ask, aim: Aim, ways: Sequence[Route]) -> tuple[Outgoing, Why]:
    """In the person's language, once for each way, for what may be said outside is less."""
    person = ask.people[aim.person]
    language = language_of(person.languages)
    matter = replace(ask.matter, kind=p.SUMMONS) if aim.team else ask.matter
    worded = tuple(
        (way, word(matter, Reader(language, person.timezone, way.channel in ask.outside, aim.why), ask.now))
        for way in ways
    )
    outcome = "redacted" if ways[0].channel in ask.outside else "in_full"
    page = Outgoing(aim.person, worded, aim.due_at, language, aim.why, aim.team)
    return page, Why("wording", outcome, language, aim.person, ways[0].channel)


# --- the way through ---------------------------------------------------------------------------------------------------


def run(ask: Ask, wanted: Sequence[Aim]) -> Answer:
    """``wanted``: whom the step names. Where none of them can be reached, everybody on duty and the fallback are tried."""
    whys: list[Why] = []
    if ask.kind not in ALWAYS:
        for stage in OF_INCIDENT:
            said = stage(ask)
            whys.append(said)
            if said.outcome != PASSED:
                return Answer(tuple(whys), (), said.outcome in HELD)
    pages, said_of_people, reached = _to_people(ask, wanted)
    whys += said_of_people
    if ask.kind in p.CALLS and not _is_enough(ask, wanted, reached):
        more = _everybody_else(ask, wanted)
        further, said_of_people, others = _to_people(ask, more)
        pages, reached = [*pages, *further], reached | others
        whys += said_of_people
        wanted = (*wanted, *more)
        if not reached:
            whys.append(Why("route", "nobody", "nobody of those on duty or named as fallback can be reached"))
    if ask.kind in p.CALLS:
        whys += left_out(ask.called, wanted)
    return Answer(tuple(whys), tuple(pages), False)


def _to_people(ask: Ask, wanted: Sequence[Aim]) -> tuple[list[Outgoing], list[Why], set[str]]:
    """Pages, what was said, and who is told: now, later, or just before."""
    pages: list[Outgoing] = []
    ready, whys = quiet_hours(ask, wanted)
    reached: set[str] = set()
    for aim in ready:
        said = duplicate(ask, aim)
        whys.append(said)
        if said.outcome != PASSED:
            reached.add(aim.person)
            continue
        aim, said = throttle(ask, aim)
        if said.outcome != PASSED:
            whys.append(said)
        ways, said = route(ask, aim)
        whys.append(said)
        if ways:
            reached.add(aim.person)
        for chosen in [[way] for way in ways] if aim.is_all else [ways] if ways else []:
            page, said = language_and_redaction(ask, aim, chosen)
            pages.append(page)
            whys.append(said)
    return pages, whys, reached


def _is_enough(ask: Ask, wanted: Sequence[Aim], reached: set[str]) -> bool:
    """Whether somebody is told whose matter it is: off shift, one is never the only one. A summons is its own matter."""
    concerned = {*on_duty(ask.called), *fallbacks(ask.called)}
    if not concerned or any(aim.team for aim in wanted):
        return bool(reached)
    return bool(reached & concerned)


def _everybody_else(ask: Ask, wanted: Sequence[Aim]) -> list[Aim]:
    tried = {aim.person for aim in wanted}
    duty = on_duty(ask.called)
    names = [name for name in dict.fromkeys((*duty, *fallbacks(ask.called))) if name not in tried]
    return [Aim(name, (), False, "on_duty" if name in duty else "fallback", ask.now) for name in names]


def _held(stage: str, outcome: str, detail: str) -> Why:
    return Why(stage, outcome, detail) if detail else Why(stage, PASSED)
