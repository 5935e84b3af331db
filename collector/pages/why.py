"""Why each person of the rosters involved was paged, or not: from what the stages said and what became of the pages. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from collector.escalation.policy import thaw
from collector.incidents.incident import TRIGGERED, Incident
from collector.pages import page as p
from collector.pages.page import Delivery
from collector.pages.pipeline import OF_INCIDENT, PASSED
from collector.pages.queries import Decision

REPLACED = {"newer": "superseded", "answered": "answered_before", "other_channel": "sent", "back": "superseded"}


class PersonWhy(NamedTuple):
    """``outcome``: a key of the texts under ``outcome``; ``at`` when that was so."""

    person: str
    roster: str
    outcome: str
    detail: str
    at: datetime | None
    pages: tuple[Delivery, ...]


class IncidentWhy(NamedTuple):
    """``stages``: what each said when last asked, in the order of the pipeline."""

    stages: tuple[tuple[str, str, str], ...]
    outcome: str
    detail: str
    people: tuple[PersonWhy, ...]


def explain(
    incident: Incident,
    decisions: Sequence[Decision],
    pages: Sequence[Delivery],
    involved: Mapping[str, str],
    now: datetime,
) -> IncidentWhy:
    """``involved``: everybody of the rosters for the incident's place, with the roster."""
    stages = _stages(decisions)
    held = next(((name, said, detail) for name, said, detail in stages if said != PASSED), None)
    outcome, detail = (held[1], held[2]) if held is not None else _of_incident(incident, decisions, now)
    names = dict.fromkeys([*(page.person for page in pages), *(one.why.person for one in decisions), *involved])
    people = [_of_person(name, involved.get(name, ""), decisions, pages, outcome, detail) for name in names if name]
    return IncidentWhy(stages, outcome, detail, tuple(people))


def _stages(decisions: Iterable[Decision]) -> tuple[tuple[str, str, str], ...]:
    """The last time the incident as a whole went through; stages behind one that held it were not asked."""
    order = [stage.__name__ for stage in OF_INCIDENT]
    found: dict[str, tuple[str, str, str]] = {}
    for one in decisions:
        why = one.why
        if not why.person and why.stage in order:
            if why.stage == order[0]:
                found = {}
            found[why.stage] = (why.stage, why.outcome, why.detail)
    return tuple(found.values())


def _of_incident(incident: Incident, decisions: Sequence[Decision], now: datetime) -> tuple[str, str]:
    """Why nothing was said of it yet; passed where there was."""
    nobody = [one for one in decisions if one.why.outcome == "nobody"]
    if nobody:
        return "nobody", nobody[-1].why.detail
    if any(one.why.stage != "delivery" for one in decisions):
        return PASSED, ""
    if incident.merged_into is not None:
        return "grouped", f"#{incident.merged_into}"
    if not thaw(incident.policy).steps:
        return "no_step", incident.severity
    if incident.snoozed_until is not None and incident.snoozed_until > now:
        return "snoozed", incident.snoozed_until.isoformat()
    if incident.state != TRIGGERED:
        return "over", incident.state
    return "not_due", incident.due_at.isoformat() if incident.due_at is not None else ""


def _of_person(
    person: str,
    roster: str,
    decisions: Sequence[Decision],
    pages: Sequence[Delivery],
    outcome: str,
    detail: str,
) -> PersonWhy:
    own = tuple(page for page in pages if page.person == person)
    said = [one for one in decisions if one.why.person == person and one.why.stage != "delivery"]
    if own:
        return PersonWhy(person, roster, *_of_pages(own, said), own)
    last = next((one for one in reversed(said) if one.why.outcome != PASSED), None)
    if last is not None:
        return PersonWhy(person, roster or last.why.detail, last.why.outcome, last.why.detail, last.at, ())
    if outcome != PASSED or not said:
        outcome = outcome if outcome != PASSED else "not_on_duty"
    return PersonWhy(person, roster, outcome, detail, None, ())


def _of_pages(own: Sequence[Delivery], said: Sequence[Decision]) -> tuple[str, str, datetime | None]:
    """The best that became of them: answered, sent, on its way, and only then why not."""
    answered = [page for page in own if page.answered_at is not None]
    if answered:
        page = answered[-1]
        return "answered", f"{page.channel} {page.receipt}".strip(), page.answered_at
    sent = [page for page in own if page.state == p.SENT]
    if sent:
        page = sent[-1]
        has_failed = any(other.root == page.root and other.page_key != page.page_key for other in own)
        return "fallback" if has_failed else "sent", f"{page.channel} {page.receipt}".strip(), page.sent_at
    waiting = [page for page in own if page.state in p.WAITING]
    if waiting:
        page = waiting[-1]
        put_off = [one.why for one in said if one.why.outcome in ("quiet_wait", "throttled")]
        if put_off and not page.attempts:
            return put_off[-1].outcome, put_off[-1].detail, page.due_at
        return "waiting", f"{page.channel} {page.error}".strip(), page.due_at
    last = own[-1]
    if last.state == p.FAILED:
        return "failed", f"{last.channel} {last.error}".strip(), last.created_at
    return REPLACED.get(last.reason, last.reason), last.channel, last.created_at
