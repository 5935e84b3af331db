"""``/incidents/{n}``: one incident: what, why, how far, since when, who was called, and what people do about it.

Each action is a form of its own and answers with the page again; who came second is told so and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.caller import Caller
from collector.access.guard import Answerer, Leader, Reader, Writer
from collector.access.problems import not_found
from collector.errors import Refused
from collector.escalation.queries import pending, summoned
from collector.escalation.timer import STEP
from collector.incidents import asked, queries, seen
from collector.incidents.incident import OPEN, RESOLVED, TRIGGERED, Incident
from collector.incidents.related import related_to
from collector.incidents.shift import called_for
from collector.incidents.similar import similar_to
from collector.incidents.split_queries import last_merge
from collector.pages.advice import advice
from collector.pages.desk import labels_of
from collector.pages.queries import decisions_of, pages_of
from collector.pages.recipients import enrolled
from collector.pages.why import explain as explain_why
from collector.pages.words import say
from collector.people.queries import whole_book
from collector.rosters.compile import ground_of
from collector.rosters.queries import load_rosters
from collector.store.schema import instant
from collector.web import incident_view
from collector.web.people_names import PeopleNames
from collector.web.render import frame_of, page
from collector.web.silence_view import silence_desk, silenced_until

if TYPE_CHECKING:
    from collector.services import Services

SNOOZE_MINUTES = (30, 60, 120, 240, 480)
NOTE_CHARS = 4_000
SAID = ("done", "already", "holds", "off_shift", "critical", "not_merged", "not_split", "summoned_before")
MOST_OTHERS = 50
"""Open incidents that one may be merged into, offered in its form."""
Note = Annotated[str, Form(max_length=NOTE_CHARS)]
Name = Annotated[str, Form(max_length=64)]


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    def act(number: int, do: Callable[[], object], otherwise: str = "already") -> Response:
        said = "done"
        try:
            do()
        except Refused as why:
            if why.status != 409:
                raise
            said = why.code if why.code in SAID and otherwise == "already" else otherwise
        return RedirectResponse(f"/incidents/{number}?said={said}", 303)

    @routes.get("/incidents/{number}")
    def incident(request: Request, caller: Reader, number: int, said: str = "") -> Response:
        return show(request, services, caller, number, said if said in SAID else "")

    @routes.post("/incidents/{number}/acknowledge")
    def acknowledge(
        caller: Answerer, number: int, for_: Annotated[str, Form(alias="for", max_length=64)] = ""
    ) -> Response:
        return act(number, lambda: asked.acknowledge(services, caller, number, for_, "page"))

    @routes.post("/incidents/{number}/comment")
    def comment(caller: Answerer, number: int, text: Note, is_action: Annotated[bool, Form()] = False) -> Response:
        if not text.strip():
            raise Refused(422, "bad_note", f"A note has 1 to {NOTE_CHARS} characters.")
        return act(number, lambda: asked.comment(services, caller, number, text.strip(), is_action=is_action))

    @routes.post("/incidents/{number}/assign")
    def assign(caller: Writer, number: int, assignee: Name = "") -> Response:
        return act(number, lambda: asked.assign(services, caller, number, assignee))

    @routes.post("/incidents/{number}/snooze")
    def snooze(caller: Writer, number: int, minutes: Annotated[int, Form(ge=1, le=7 * 1440)]) -> Response:
        until = instant(services.clock.wall_ms()) + timedelta(minutes=minutes)
        return act(number, lambda: asked.snooze(services, caller, number, until))

    @routes.post("/incidents/{number}/merge", response_model=None)
    def merge(caller: Writer, number: int, into: Annotated[int, Form(ge=1)]) -> Response:
        return act(number, lambda: asked.merge(services, caller, number, into), "not_merged")

    @routes.post("/incidents/{number}/split", response_model=None)
    def split(caller: Writer, number: int) -> Response:
        return act(number, lambda: asked.split(services, caller, number), "not_split")

    @routes.post("/incidents/{number}/summon", response_model=None)
    def summon(caller: Leader, number: int, team: Name) -> Response:
        return act(number, lambda: asked.summon(services, caller, number, team), "summoned_before")

    @routes.post("/incidents/{number}/explain")
    def explain(caller: Writer, number: int, cause: Note = "", prevention: Note = "") -> Response:
        return act(number, lambda: asked.explain(services, caller, number, cause.strip(), prevention.strip()))

    @routes.post("/incidents/{number}/resolve")
    def resolve(caller: Writer, number: int) -> Response:
        return act(number, lambda: asked.resolve(services, caller, number))

    @routes.post("/incidents/{number}/close")
    def close(caller: Writer, number: int) -> Response:
        return act(number, lambda: asked.close(services, caller, number), "holds")

    return routes


def find(connection: Connection, caller: Caller, number: int) -> Incident:
    """Raises Refused 404, also for what is there and reaches nothing of the caller's."""
    found = queries.find_seen(connection, caller.scope, number) if number < 1 << 62 else None
    if found is None:
        raise not_found("incident", str(number))
    return found


def show(request: Request, services: Services, caller: Caller, number: int, said: str) -> Response:
    frame, fleet = frame_of(request, services), services.registry.fleet
    with services.store.reading() as connection:
        found = find(connection, caller, number)
        rows = queries.signals_of(connection, number)
        events = queries.events_of(connection, number)
        is_own = queries.find(connection, caller.scope, number) is not None
        may_know = is_own and (caller.may("answer") or caller.may("audit"))
        decided = decisions_of(connection, number) if may_know else []
        sent = pages_of(connection, number) if may_know else []
        similar = similar_to(connection, caller.scope, found)
        related = related_to(connection, caller.scope, found)
        rosters = load_rosters(connection) if may_know else []
        book = whole_book(connection)
        names = PeopleNames(book, frame.language)
        called_in = summoned(connection, number) if may_know else []
        waiting = pending(connection, number) if may_know and found.state == TRIGGERED else []
        may_merge = is_own and found.is_open and caller.may("work")
        may_split = is_own and found.merged_into and caller.may("work") and last_merge(connection, number) is not None
        others = queries.list_incidents(connection, caller.scope, states=OPEN, limit=MOST_OTHERS) if may_merge else []
    now = instant(frame.now_ms)
    desk = silence_desk(services, caller) if is_own else None
    holds = {number: [row for row in rows if row.ended_at is None]}
    involved = enrolled(called_for(found, rosters, ground_of(fleet), fleet, now)) if may_know else {}
    why = explain_why(found, decided, sent, involved, now) if may_know else None
    signals = seen.signals(rows, fleet, caller.scope)
    notes: dict[str, str] = next((dict(row.annotations) for row in signals if row.annotations), {})
    site = fleet.sites.get(found.site)
    values: dict[str, Any] = {
        "incident": found,
        "said": said,
        "zone": site.timezone if site is not None else "Asia/Seoul",
        "site": site,
        "advice": advice(found.reason, found.subject_kind, notes, frame.language),
        "steps": incident_view.steps(found),
        "clock": incident_view.clock(found, now),
        "duration_seconds": incident_view.duration_seconds(found, now),
        "reach": seen.reach(found, fleet, caller.scope),
        "evidence": seen.evidence(found, fleet, caller.scope),
        "signals": signals[: incident_view.SHOWN_SIGNALS],
        "more_signals": len(signals) - incident_view.SHOWN_SIGNALS,
        "course": seen.course(events, caller.scope),
        "why": why,
        "told": incident_view.told_apart(why) if why else (),
        "why_at": incident_view.why_at(why) if why else None,
        "silenced": silenced_until(desk, [found], holds, fleet, now) if desk else {},
        "said_why": lambda code: say(frame.language, f"outcome.{code}"),
        "may_know": may_know,
        "may_act": is_own and caller.may("answer"),
        "similar": similar,
        "related": related,
        "names": names,
        "fleet": fleet,
        "shapes": incident_view.SHAPES,
        "waits": incident_view.waits(found),
        "roster_names": {one.id: frame.words.name(one) for one in rosters},
        "may_close": found.state == RESOLVED,
        "snooze_minutes": SNOOZE_MINUTES,
        "summoned": called_in,
        "teams": book.teams,
        "next_call_at": min((one.due_at for one in waiting if one.kind == STEP), default=None),
        "may_split": may_split,
        "others": [one for one in others if one.number != number and not one.is_digest],
        "silence_query": urlencode(incident_view.to_silence(found, labels_of(found, rows[0], fleet))) if rows else "",
    }
    return page(request, services, "incident.html", values, frame=frame)
