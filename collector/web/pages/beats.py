"""``/beats``: jobs that call when they are done: which are well, late or silent, when each was last heard and is due next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from fastapi import APIRouter, Form
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent.link.clock import SystemChance
from collector.access.caller import Caller
from collector.access.guard import Reader, Writer
from collector.alerts import beat_asked as asked
from collector.alerts.beat import DOWN, LATE, NEW, PAUSED, UNSURE, UP, Beat
from collector.alerts.beat_asked import NewBeat
from collector.alerts.beat_queries import list_beats
from collector.errors import Refused
from collector.store.schema import instant
from collector.web import view
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services

ORDER = {DOWN: 0, LATE: 1, UNSURE: 2, UP: 3, NEW: 4, PAUSED: 5}
MARKS = {DOWN: 4, LATE: 3, UNSURE: 2, UP: 0, NEW: 2, PAUSED: 1}
"""Status -> the state whose shape and colour it borrows."""
Text = Annotated[str, Form(max_length=200)]
Name = Annotated[str, Form(max_length=129)]


class Row(NamedTuple):
    beat: Beat
    status: str
    due_at: datetime | None
    """When it is expected; None where nobody waits for it."""


def rows(beats: Sequence[Beat], now: datetime) -> list[Row]:
    """The worst first, then what is due soonest."""
    found = [
        Row(one, one.status(now), None if one.alert_after is None else one.alert_after - one.grace) for one in beats
    ]
    found.sort(key=lambda row: (ORDER[row.status], row.due_at is None, row.due_at or now, row.beat.id))
    return found


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    def now() -> datetime:
        return instant(services.clock.wall_ms())

    @routes.get("/beats")
    def beats(request: Request, caller: Reader) -> Response:
        return show(request, services, caller)

    @routes.post("/beats", response_model=None)
    def add(
        request: Request, caller: Writer, id: Name, title: Text = "", minutes: Text = "", cron: Text = "",
        timezone: Text = "Asia/Seoul", grace_minutes: Annotated[int, Form(ge=1, le=527_040)] = 10,
        severity: Text = "warning", about: Name = "",
    ) -> Response:  # fmt: skip
        """``about``: the id of a host, a system or a site; ``minutes`` or ``cron``, one of both."""
        try:
            wanted = NewBeat.model_validate({
                "id": id.strip(), "title": title.strip(), "cron": cron.strip(), "timezone": timezone.strip(),
                "period_seconds": int(minutes) * 60 if minutes.strip().isdecimal() else 0,
                "grace_seconds": grace_minutes * 60, "severity": severity, **_subject(services, about.strip()),
            })  # fmt: skip
        except ValidationError as why:
            first = why.errors(include_input=False, include_url=False)[0]
            raise Refused(422, "bad_beat", f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from why
        beat, key = asked.agree(services, caller, wanted, now(), SystemChance())
        return show(request, services, caller, made=(beat.id, asked.url_of(services.settings.server.url, key)))

    @routes.post("/beats/{name}/key", response_model=None)
    def rekey(request: Request, caller: Writer, name: str) -> Response:
        beat, key = asked.rekey(services, caller, name, now(), SystemChance())
        return show(request, services, caller, made=(beat.id, asked.url_of(services.settings.server.url, key)))

    @routes.post("/beats/{name}/remove", response_model=None)
    def remove(caller: Writer, name: str) -> Response:
        asked.remove(services, caller, name, now())
        return RedirectResponse("/beats", 303)

    @routes.post("/beats/{name}/pause", response_model=None)
    def pause(caller: Writer, name: str) -> Response:
        asked.change(services, caller, name, "pause", now())
        return RedirectResponse("/beats", 303)

    @routes.post("/beats/{name}/resume", response_model=None)
    def resume(caller: Writer, name: str) -> Response:
        asked.change(services, caller, name, "resume", now())
        return RedirectResponse("/beats", 303)

    return routes


def _subject(services: Services, about: str) -> dict[str, str]:
    fleet = services.registry.fleet
    kind = "host" if about in fleet.hosts else "system" if about in fleet.systems else "site"
    return {kind: about} if about else {}


def show(request: Request, services: Services, caller: Caller, made: tuple[str, str] = ("", "")) -> Response:
    """The page; ``made`` = (whose, its address) right after it was made: it is shown this once."""
    frame, fleet = frame_of(request, services), services.registry.fleet
    now = instant(frame.now_ms)
    with services.store.reading() as connection:
        found = list_beats(connection, caller.scope)
    values: dict[str, Any] = {
        "rows": rows(found, now),
        "marks": MARKS,
        "made": made,
        "may_work": caller.may("work"),
        "fleet": fleet,
        "sites": sorted(view.visible_sites(fleet, caller.scope).values(), key=frame.words.name),
        "severities": ("critical", "warning", "info"),
    }
    return page(request, services, "beats.html", values, frame=frame)
