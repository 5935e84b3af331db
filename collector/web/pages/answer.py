"""``/a/{token}``: the page a call's link leads to, made for a phone at night, without a login.

Looking changes nothing: scanners of mail and previews of messengers follow every link, and some of them press no button
but load whatever a page names. Only the form's POST answers. The token is the proof, and the only one: no cookie makes this
work, so that no other site's page can. The page shows who was called and what for, and nothing that reaches further.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.errors import Refused
from collector.pages.answer import Answerable, answer, find_answer
from collector.pages.page import SUMMONS
from collector.people.queries import whole_book
from collector.store.schema import instant
from collector.web import incident_view
from collector.web.i18n import LANGUAGES
from collector.web.people_names import PeopleNames
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services

OUTCOMES = ("acknowledged", "already", "off_shift", "over", "replied", "received")
TOKEN_CHARS = 64


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    def now() -> datetime:
        return instant(services.clock.wall_ms())

    @routes.get("/a/{token}")
    def look(request: Request, token: str, said: str = "") -> Response:
        with services.store.reading() as connection:
            found = find_answer(connection, token[:TOKEN_CHARS], now())
        return show(request, services, token, found, said if said in OUTCOMES else "")

    @routes.post("/a/{token}")
    def take(request: Request, token: str, comes: Annotated[str, Form(max_length=8)] = "yes") -> Response:
        with services.store.transaction() as connection:
            found = find_answer(connection, token[:TOKEN_CHARS], now())
            if found is None:
                raise Refused(404, "not_found", "There is no call to answer here.")
            done = answer(connection, found, now(), "page", services.registry.fleet, comes=comes != "no")
        language = request.query_params.get("lang", "")
        return RedirectResponse(
            f"/a/{token}?said={done.outcome}" + (f"&lang={language}" if language in LANGUAGES else ""), 303
        )

    return routes


def show(request: Request, services: Services, token: str, found: Answerable | None, said: str) -> Response:
    frame = frame_of(request, services, language=found.page.language if found is not None else "")
    incident = found.incident if found is not None else None
    with services.store.reading() as connection:
        names = PeopleNames(whole_book(connection), frame.language)
    site = services.registry.fleet.sites.get(incident.site) if incident is not None else None
    values = {
        "found": found,
        "incident": incident,
        "token": token,
        "said": said,
        "is_summons": found is not None and found.page.kind == SUMMONS,
        "names": names,
        "site": site,
        "zone": site.timezone if site is not None else "Asia/Seoul",
        "clock": incident_view.clock(incident, instant(frame.now_ms)) if incident is not None else None,
        "shapes": incident_view.SHAPES,
        "signed_out": frame.caller is None,
    }
    made = page(request, services, "answer.html", values, status=200 if found is not None else 404, frame=frame)
    made.headers["x-robots-tag"] = "noindex"
    made.headers["referrer-policy"] = "no-referrer"  # the address is the secret
    return made
