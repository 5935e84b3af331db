"""``/situation``: the daily situation report (일일상황보고), to print; ``/situation.txt``, to paste; ``/api/situation``.

It is made from rows whenever it is asked for: of any day, and of today as far as it has come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from collector.access.audit import record, tip_of
from collector.access.caller import Caller
from collector.access.guard import Reader
from collector.errors import Refused
from collector.incidents.incident import STATES, Incident
from collector.incidents.queries import find, list_incidents
from collector.maintenance.occurrence import occurrences
from collector.maintenance.queries import list_windows
from collector.pages.page import CALLS, SENT
from collector.pages.queries import list_pages
from collector.people.queries import whole_book
from collector.rosters.queries import is_seen, list_handovers, load_rosters
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.web import situation_view, times, view
from collector.web.people_names import PeopleNames
from collector.web.render import Frame, frame_of, page
from collector.web.situation_view import Day, Section

if TYPE_CHECKING:
    from collector.services import Services

MOST = 1_000
BACK = timedelta(days=90)
"""What opened earlier and is still open on a day is looked for so far back."""


class LineOut(BaseModel):
    name: str = Field(description="What it is about; empty where the text stands by itself.")
    text: str


class SectionOut(BaseModel):
    title: str
    lines: list[LineOut]


class SituationOut(BaseModel):
    day: date = Field(description="By Korea time.")
    language: str
    title: str
    sections: list[SectionOut]


def router(services: Services) -> APIRouter:
    routes = APIRouter()

    @routes.get("/api/situation", tags=["situation"], response_model=SituationOut)
    def read_situation(
        request: Request,
        caller: Reader,
        day: Annotated[
            str, Query(max_length=10, description="Such as 2026-07-31; empty = today, as far as it is.")
        ] = "",
    ) -> SituationOut:
        """The daily situation report: what is open, what ended, agreed work, hand-overs, calls."""
        frame = frame_of(request, services)
        title, on, sections = write(services, frame, caller, day, "json")
        told = [SectionOut(title=s.title, lines=[LineOut(**line._asdict()) for line in s.lines]) for s in sections]
        return SituationOut(day=on, language=frame.language, title=title, sections=told)

    @routes.get("/situation.txt", include_in_schema=False)
    def text(request: Request, caller: Reader, day: str = "") -> Response:
        frame = frame_of(request, services)
        title, _, sections = write(services, frame, caller, day, "txt")
        made = situation_view.as_text(title, sections, frame.language)
        return PlainTextResponse(made, headers={"cache-control": "no-store"})

    @routes.get("/situation", include_in_schema=False)
    def html(request: Request, caller: Reader, day: str = "") -> Response:
        frame = frame_of(request, services)
        title, on, sections = write(services, frame, caller, day, "html")
        values = {
            "title": title,
            "day": on,
            "before": on - timedelta(days=1),
            "after": on + timedelta(days=1) if on < _today(frame) else None,
            "sections": sections,
            "text": situation_view.as_text(title, sections, frame.language),
        }
        return page(request, services, "situation.html", values, frame=frame)

    return routes


def write(
    services: Services, frame: Frame, caller: Caller, asked: str, form: str
) -> tuple[str, date, tuple[Section, ...]]:
    """Title, day and sections. Raises Refused 422 for what is no day, or one to come."""
    try:
        on = date.fromisoformat(asked) if asked else _today(frame)
    except ValueError as why:
        raise Refused(422, "bad_day", f"day {asked!r}: expected one such as 2026-07-31") from why
    if on > _today(frame):
        raise Refused(422, "bad_day", f"day {asked!r} has not come yet")
    found, names = _read(services, frame, caller, on)
    with services.store.transaction() as connection:
        record(connection, instant(frame.now_ms), caller.name, "export.situation", on.isoformat(), {"form": form})
    t = frame.words
    return f"{t('situation.title')} {situation_view.official(on, t)}", on, situation_view.report(found, t, names)


def _read(services: Services, frame: Frame, caller: Caller, on: date) -> tuple[Day, PeopleNames]:
    began, ended = situation_view.span_of(on)
    fleet = services.registry.fleet
    with services.store.reading() as connection:
        recent = list_incidents(
            connection, caller.scope, states=STATES, opened_from=began - BACK, opened_to=ended, limit=MOST
        )
        pages = list_pages(connection, caller.scope, limit=MOST)
        windows = list_windows(connection, fleet, caller.scope)
        rosters = [one for one in load_rosters(connection) if is_seen(caller.scope, one)]
        notes = [(frame.words.name(one), note) for one in rosters for note in list_handovers(connection, one.id)]
        audit = tip_of(connection) if caller.scope == EVERYTHING else (0, b"")
        names = PeopleNames(whole_book(connection), frame.language)
        calls = [
            each for each in pages if each.kind in CALLS and each.state == SENT and _within(each.sent_at, began, ended)
        ]
        called_for = [find(connection, caller.scope, n) for n in sorted({each.incident or 0 for each in calls} - {0})]
    planned = [
        (row.title, from_at, to_at) for row in windows for from_at, to_at in occurrences(row.schedule, began, ended)
    ]  # fmt: skip
    is_today = on == _today(frame)
    counts = view.counts_by_state(
        view.site_rows(fleet, services.live, services.standing, caller.scope).values() if is_today else ()
    )
    day = Day(
        on,
        [each for each in recent if each.opened_at >= began],
        [each for each in recent if (over_at := _over_at(each)) is None or over_at >= ended],
        [each for each in recent if _within(_over_at(each), began, ended)],
        dict(enumerate(counts)) if is_today else {},
        planned,
        sorted((each for each in notes if began <= each[1].written_at < ended), key=lambda each: each[1].written_at),
        len(calls),
        called_for,
        (audit[0], audit[1].hex()),
    )
    return day, names


def _over_at(incident: Incident) -> datetime | None:
    return incident.recovered_at or incident.resolved_at


def _within(at: datetime | None, began: datetime, ended: datetime) -> bool:
    return at is not None and began <= at < ended


def _today(frame: Frame) -> date:
    return times.at(frame.now_ms).date()
