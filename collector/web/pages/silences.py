"""``/silences``: which alerts nobody is to hear of, who said so, why and until when; and, before a new one is made, how much it
would hide. Two steps on purpose: nobody silences what they have not seen."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.caller import Caller
from collector.access.guard import Reader, Writer
from collector.alerts.alert import CRITICAL, SEVERITIES
from collector.alerts.matcher_words import BadMatcher
from collector.alerts.silence import EXPIRED
from collector.alerts.silence_desk import NotKept, SilenceDesk
from collector.errors import Refused
from collector.people.queries import whole_book
from collector.web import silence_view, view
from collector.web.people_names import PeopleNames
from collector.web.render import frame_of, page
from collector.web.silence_view import Asked

if TYPE_CHECKING:
    from collector.services import Services

MINUTES = (30, 60, 120, 240, 480, 1440, 4320, 10_080)
LONGEST_MINUTES = 366 * 1440
SHOWN_HIDDEN = 20
SAID = ("kept", "ended", "longer")
Text = Annotated[str, Form(max_length=200)]
Words = Annotated[str, Form(max_length=4_000)]
Minutes = Annotated[int, Form(ge=1, le=LONGEST_MINUTES)]


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    def desk() -> SilenceDesk:
        found: SilenceDesk = services.response.silence_desk
        return found

    @routes.get("/silences")
    def silences(
        request: Request, caller: Reader, alert: str = "", site: str = "", host: str = "", severity: str = "",
        more: str = "", again: str = "", said: str = "",
    ) -> Response:  # fmt: skip
        asked = Asked(alert[:200], site[:64], host[:200], severity[:16], more[:4000])
        if again:
            asked = silence_view.asked_of(_find(desk(), caller, again).words)
        return show(request, services, desk(), caller, asked, said if said in SAID else "")

    @routes.post("/silences", response_model=None)
    def keep(
        caller: Writer, minutes: Minutes, comment: Words, alert: Text = "", site: Text = "", host: Text = "",
        severity: Text = "", more: Words = "",
    ) -> Response:  # fmt: skip
        asked = Asked(alert, site, host, severity, more)
        if not comment.strip():
            raise Refused(422, "no_reason", "Say why: whoever reads it at night has to know.")
        now = desk().now()
        try:
            desk().keep(caller, asked.words(), now, now + timedelta(minutes=minutes), comment.strip()[:1000])
        except (BadMatcher, NotKept) as why:
            raise Refused(422, "bad_silence", str(why)) from why
        return RedirectResponse("/silences?said=kept", 303)

    @routes.post("/silences/{name}/longer", response_model=None)
    def longer(caller: Writer, name: str, minutes: Minutes = 60) -> Response:
        found, now = _find(desk(), caller, name), desk().now()
        if found.state(now) == EXPIRED:
            raise Refused(409, "over", "This silence is over; make another.")
        ends_at = found.ends_at + timedelta(minutes=minutes)
        try:
            desk().keep(caller, found.words, found.starts_at, ends_at, found.comment, found.created_by, name)
        except NotKept as why:
            raise Refused(422, "bad_silence", str(why)) from why
        return RedirectResponse("/silences?said=longer", 303)

    @routes.post("/silences/{name}/end", response_model=None)
    def end(caller: Writer, name: str) -> Response:
        try:
            desk().end(caller, name)
        except NotKept as why:
            if why.status == 404:
                raise Refused(404, "not_found", str(why)) from why
        return RedirectResponse("/silences?said=ended", 303)

    return routes


def _find(desk: SilenceDesk, caller: Caller, name: str) -> Any:
    try:
        return desk.find(caller, name)
    except NotKept as why:
        raise Refused(404, "not_found", str(why)) from why


def show(request: Request, services: Services, desk: SilenceDesk, caller: Caller, asked: Asked, said: str) -> Response:
    frame, now = frame_of(request, services), desk.now()
    firing = desk.firing(caller.scope, now)
    with services.store.reading() as connection:
        names = PeopleNames(whole_book(connection), frame.language)
    values: dict[str, Any] = {
        "said": said,
        "rows": silence_view.rows(desk.listed(caller.scope, now), firing, now),
        "asked": asked,
        "fields": {name: text for name, text in asdict(asked).items() if text},
        "alerts": sorted({one.name for one in firing if one.name}),
        "hosts": sorted({dict(one.labels).get("instance", "") for one in firing} - {""}),
        "sites": sorted(view.visible_sites(services.registry.fleet, caller.scope).values(), key=frame.words.name),
        "severities": SEVERITIES,
        "minutes": MINUTES,
        "names": names,
        "shown": silence_view.shown,
        "may_work": caller.may("work"),
        "firing": len(firing),
        **_preview(desk, caller, asked, now),
    }
    return page(request, services, "silences.html", values, frame=frame)


def _preview(desk: SilenceDesk, caller: Caller, asked: Asked, now: datetime) -> dict[str, Any]:
    """``hidden``: what would be silenced, None where nothing was asked; ``fault``: why it cannot be told."""
    try:
        words = asked.words()
        found = desk.hidden(caller.scope, words, now) if words else None
    except BadMatcher as why:
        return {"hidden": None, "fault": str(why), "words": (), "grave": 0}
    if found is not None:
        found.sort(key=lambda one: (SEVERITIES.index(one.severity), one.name, one.subject))
    grave = sum(one.severity == CRITICAL for one in found or ())
    return {
        "hidden": found,
        "fault": "",
        "words": words,
        "grave": grave,
        "most": SHOWN_HIDDEN,
    }
