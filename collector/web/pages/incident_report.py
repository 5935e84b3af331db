"""``/incidents/{n}/report/{stage}``: the first, interim and final report, to print or, as ``.txt``, to paste.

Taking a report out of the system is an export and stands in the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from collector.access.audit import record
from collector.access.guard import Reader
from collector.access.problems import not_found
from collector.incidents import seen
from collector.incidents.asked import may_know_people, summons_for
from collector.incidents.incident import Incident
from collector.incidents.lost_time import LostTime, lost_time
from collector.incidents.queries import events_of, find_seen, signals_of
from collector.incidents.related import related_to
from collector.incidents.report import MOST_NAMES, Report, as_text, report
from collector.pages.advice import advice
from collector.people.queries import whole_book
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.verdicts.queries import changes_of
from collector.web import view
from collector.web.people_names import PeopleNames
from collector.web.render import Frame, frame_of, page

if TYPE_CHECKING:
    from collector.access.caller import Caller
    from collector.services import Services

Stage = Literal["first", "interim", "final"]


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/incidents/{number}/report/{stage}.txt")
    def text(request: Request, caller: Reader, number: int, stage: Stage) -> Response:
        made = write(services, frame_of(request, services), caller, number, stage, "txt")
        return PlainTextResponse(as_text(made), headers={"cache-control": "no-store"})

    @routes.get("/incidents/{number}/report/{stage}")
    def html(request: Request, caller: Reader, number: int, stage: Stage) -> Response:
        frame = frame_of(request, services)
        made = write(services, frame, caller, number, stage, "html")
        values = {"report": made, "number": number, "stage": stage, "text": as_text(made)}
        return page(request, services, "incident_report.html", values, frame=frame)

    return routes


def write(services: Services, frame: Frame, caller: Caller, number: int, stage: str, form: str) -> Report:
    """Raises Refused 404. Whoever sees a part of the impact only gets a report of that part."""
    fleet, now = services.registry.fleet, instant(frame.now_ms)
    with services.store.reading() as connection:
        found = find_seen(connection, caller.scope, number) if number < 1 << 62 else None
        if found is None:
            raise not_found("incident", str(number))
        events = seen.course(events_of(connection, number), caller.scope)[::-1]
        signals = seen.signals(signals_of(connection, number), fleet, caller.scope)
        names = PeopleNames(whole_book(connection), frame.language)
        called_in = summons_for(connection, caller, number)
        tells = may_know_people(connection, caller, number)
        related = related_to(connection, caller.scope, found)
    if caller.scope != EVERYTHING:
        found = seen.narrowed(found, fleet, caller.scope)
    with services.store.transaction() as connection:
        record(connection, now, caller.name, "export.report", str(number), {"stage": stage, "form": form})
    notes = dict(signals[0].annotations) if signals else {}
    runbook = advice(found.reason, found.subject_kind, notes, frame.language).runbook
    return report(
        found, events, stage, frame.language, fleet, now, names=names.all, runbook=runbook, summoned=called_in,
        lost=lost_of(services, found, frame.now_ms), tells_people=tells, related=related,
    )  # fmt: skip


def lost_of(services: Services, incident: Incident, now_ms: int) -> list[LostTime]:
    """Of the sites and systems it reached, those that were down or unseen while it lasted, the longest first."""
    standing = services.standing
    began_ms = round(incident.occurred_at.timestamp() * 1000)
    ended_ms = round(incident.recovered_at.timestamp() * 1000) if incident.recovered_at else now_ms
    reached = [("site", one) for one in incident.impact.get("sites", ())]
    reached += [("system", one[0]) for one in incident.impact.get("systems", ())]
    found = []
    with services.store.reading() as connection:
        for kind, id_ in reached[:MOST_NAMES]:
            now = view.judged((standing.sites if kind == "site" else standing.systems).get(id_)).state
            changes = changes_of(connection, kind, id_, began_ms, ended_ms)
            found.append(lost_time(kind, id_, changes, now, began_ms, ended_ms))
    lost = [one for one in found if one.down_seconds or one.unseen_seconds]
    return sorted(lost, key=lambda one: (-one.down_seconds, -one.unseen_seconds, one.kind, one.id))
