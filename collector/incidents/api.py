"""``/api/incidents``: what goes on, what happened, and what people do about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import available_timezones

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import PlainTextResponse, Response

from collector.access.guard import Leader, Reader, Writer
from collector.access.paging import Limit, Page, page
from collector.errors import Refused
from collector.escalation.queries import pending, summoned
from collector.incidents import asked, queries, seen
from collector.incidents.asked import find_to_read
from collector.incidents.asked_bodies import Acknowledge, Assign, Comment, Explain, Merge, Snooze, Summon
from collector.incidents.incident import Incident, SignalRow
from collector.incidents.related import related_to
from collector.incidents.report import as_text
from collector.incidents.similar import similar_to
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

State = Literal["triggered", "acknowledged", "resolved", "closed"]


class IncidentOut(BaseModel):
    """``priority`` 1 is the most urgent. Times are null while they did not come. ``merged_into``: the incident it is part
    of. ``fix_due_at``: until when a system that is down must be back, by its grade."""

    model_config = ConfigDict(from_attributes=True)
    number: int
    uid: str
    key: str
    source: str
    state: str
    severity: str
    priority: int
    reason: str
    subject: tuple[str, str]
    site: str
    agency: str
    title_ko: str
    title_en: str
    occurred_at: datetime
    opened_at: datetime
    due_at: datetime | None
    paged_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    acknowledged_for: str
    assignee: str
    action_at: datetime | None
    recovered_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    snoozed_until: datetime | None
    fix_due_at: datetime | None
    returns: int
    impact: dict[str, Any]
    cause_text: str
    prevention_text: str
    is_digest: bool
    is_storm: bool
    merged_into: int | None


class EventOut(BaseModel):
    """``by`` is empty where the collector did it."""

    model_config = ConfigDict(from_attributes=True)
    at: datetime
    kind: str
    by: str
    data: dict[str, Any]


class SignalOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    key: str
    source: str
    severity: str
    first_at: datetime
    ended_at: datetime | None
    labels: dict[str, str]
    annotations: dict[str, str]


class WaitingOut(BaseModel):
    """What is due next: ``kind`` step (of the escalation), reack, unsnooze, fix_50 …"""

    kind: str
    step: int
    due_at: datetime


class SummonedOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    team: str
    person: str
    called_at: datetime
    reply: str
    replied_at: datetime | None


class SimilarOut(BaseModel):
    number: int
    title_ko: str
    title_en: str
    occurred_at: datetime
    recovered_at: datetime | None
    is_same: bool
    cause_text: str
    prevention_text: str


class RelatedOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    number: int
    state: str
    severity: str
    reason: str
    title_ko: str
    title_en: str
    occurred_at: datetime


class Whole(IncidentOut):
    """With everything that is known of it."""

    evidence: list[tuple[str, str, str, int | None]]
    policy: dict[str, Any]
    events: list[EventOut]
    signals: list[SignalOut]
    waiting: list[WaitingOut]
    summons: list[SummonedOut]
    similar: list[SimilarOut]
    related: list[RelatedOut]
    """What else began at its site within an hour of it."""


def router(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/api/incidents", tags=["incidents"])
    _reading(routes, services)
    _reporting(routes, services)
    _changing(routes, services)
    return routes


def _reading(routes: APIRouter, services: Services) -> None:
    store = services.store

    @routes.get("")
    def incidents(
        caller: Reader,
        state: Annotated[list[State] | None, Query()] = None,
        severity: Literal["", "critical", "warning", "info"] = "",
        site: str = "",
        agency: str = "",
        merged: bool = False,
        before: Annotated[int | None, Query(ge=0, description="`next` of the answer before")] = None,
        limit: Limit = 100,
    ) -> Page[IncidentOut]:
        """Incidents, the newest first; those that were merged into others only where asked for."""
        with store.reading() as connection:
            rows = queries.list_incidents(
                connection,
                caller.scope,
                states=state or (),
                severity=severity,
                site=site,
                agency=agency,
                before=before,
                with_merged=merged,
                with_reaching=True,
                limit=limit + 1,
            )
        fleet, scope = services.registry.fleet, caller.scope
        items = [_out(seen.narrowed(row, fleet, scope)) for row in rows]
        return page(items, [str(row.number) for row in rows], limit)

    @routes.get("/{number}")
    def one(caller: Reader, number: int) -> Whole:
        """An incident with its course, its signals, what is due next, and similar ones of the past."""
        fleet, scope = services.registry.fleet, caller.scope
        found = find_to_read(services, caller, number)
        with store.reading() as connection:
            events = seen.course(queries.events_of(connection, number), scope)
            return Whole(
                **_out(found).model_dump(),
                evidence=list(found.evidence),
                policy=dict(found.policy),
                events=[EventOut.model_validate(each) for each in reversed(events)],
                signals=[_signal(each) for each in seen.signals(queries.signals_of(connection, number), fleet, scope)],
                waiting=[WaitingOut(kind=t.kind, step=t.step, due_at=t.due_at) for t in pending(connection, number)],
                summons=[SummonedOut.model_validate(each) for each in summoned(connection, number)],
                similar=[
                    SimilarOut(
                        is_same=each.is_same,
                        **{name: getattr(each.incident, name) for name in SimilarOut.model_fields if name != "is_same"},
                    )
                    for each in similar_to(connection, scope, found)
                ],
                related=[RelatedOut.model_validate(each) for each in related_to(connection, scope, found)],
            )


def _reporting(routes: APIRouter, services: Services) -> None:
    @routes.get("/{number}/report", response_model=None)
    def report(
        caller: Reader,
        number: int,
        stage: Literal["first", "interim", "final"] = "first",
        language: Literal["ko", "en"] = "ko",
        timezone: str = "Asia/Seoul",
        format: Literal["json", "text"] = "json",
    ) -> Response | dict[str, Any]:
        """A report of an incident: sections, or text to paste."""
        if timezone not in available_timezones():
            raise Refused(422, "bad_zone", f"timezone = {timezone!r}: no such time zone")
        made = asked.report_for(services, caller, number, stage, language, timezone)
        if format == "text":
            return PlainTextResponse(as_text(made))
        sections = [{"title": s.title, "lines": [line._asdict() for line in s.lines]} for s in made.sections]
        return {"title": made.title, "language": made.language, "sections": sections}


def _changing(routes: APIRouter, services: Services) -> None:
    @routes.post("/{number}/acknowledge")
    def acknowledge(caller: Writer, number: int, wanted: Acknowledge | None = None) -> IncidentOut:
        """Say that somebody has it; the steps of escalation end. 409 where somebody had it before, or where who says so
        is not on duty: that is noted, and calling goes on."""
        return _out(asked.acknowledge(services, caller, number, wanted.for_ if wanted else ""))

    @routes.post("/{number}/assign")
    def assign(caller: Writer, number: int, wanted: Assign) -> IncidentOut:
        """Give it to somebody, or hand it on."""
        return _out(asked.assign(services, caller, number, wanted.to))

    @routes.post("/{number}/snooze")
    def snooze(caller: Writer, number: int, wanted: Snooze) -> IncidentOut:
        """Call nobody for a while. Not for what is critical and not acknowledged."""
        until = wanted.until
        if (until is None) == (wanted.minutes is None) or (until is not None and until.tzinfo is None):
            raise Refused(422, "bad_time", "expected minutes, or until with an offset")
        if until is None:
            until = instant(services.clock.wall_ms()) + timedelta(minutes=wanted.minutes or 0)
        return _out(asked.snooze(services, caller, number, until))

    @routes.post("/{number}/merge")
    def merge(caller: Writer, number: int, wanted: Merge) -> IncidentOut:
        """It goes into another one that is open, which is answered."""
        return _out(asked.merge(services, caller, number, wanted.into))

    @routes.post("/{number}/split")
    def split(caller: Writer, number: int) -> IncidentOut:
        """Undo that it was merged by hand: it stands by itself again and goes on. 409 where nobody merged it, and where what
        it went into lies in another itself."""
        return _out(asked.split(services, caller, number))

    @routes.post("/{number}/summon")
    def summon(caller: Leader, number: int, wanted: Summon) -> IncidentOut:
        """Call in a team (비상소집): each member is asked whether they come; who comes stands in `summons`."""
        return _out(asked.summon(services, caller, number, wanted.team))

    @routes.post("/{number}/comment")
    def comment(caller: Writer, number: int, wanted: Comment) -> IncidentOut:
        """Write a note, or what was done."""
        return _out(asked.comment(services, caller, number, wanted.text, is_action=wanted.is_action))

    @routes.post("/{number}/explain")
    def explain(caller: Writer, number: int, wanted: Explain) -> IncidentOut:
        """Why it happened, and what keeps it from happening again."""
        return _out(asked.explain(services, caller, number, wanted.cause, wanted.prevention))

    @routes.post("/{number}/resolve")
    def resolve(caller: Writer, number: int) -> IncidentOut:
        """Say that it is over. What still holds opens it again after a while."""
        return _out(asked.resolve(services, caller, number))

    @routes.post("/{number}/close")
    def close(caller: Writer, number: int) -> IncidentOut:
        """Nothing is left to be done about what is resolved."""
        return _out(asked.close(services, caller, number))


def _out(found: Incident) -> IncidentOut:
    return IncidentOut.model_validate(found)


def _signal(row: SignalRow) -> SignalOut:
    return SignalOut(**(row._asdict() | {"labels": dict(row.labels), "annotations": dict(row.annotations)}))
