"""``POST /account``: in which language and by which clock, besides Korea's, somebody reads their pages. The form stands on
``/admin``, for whoever is signed in with an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.administer import set_look
from collector.access.caller import Caller
from collector.access.guard import member
from collector.access.queries import look_of
from collector.errors import Refused, UsageError
from collector.people.queries import zone_of_login
from collector.store.schema import instant
from collector.web.i18n import COOKIE
from collector.web.render import remember

if TYPE_CHECKING:
    from collector.services import Services

Member = Annotated[Caller, Depends(member)]


class Look(NamedTuple):
    """What the account says, and the zone that the roster file says of its person, where the account says none."""

    language: str
    timezone: str
    usual_zone: str


def own_look(services: Services, caller: Caller) -> Look | None:
    """None of whoever is no account: a token, or somebody who did not sign in."""
    with services.store.reading() as connection:
        found = look_of(connection, caller.name) if caller.way == "session" else None
        return Look(*found, zone_of_login(connection, caller.name)) if found is not None else None


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.post("/account")
    def look(
        request: Request,
        caller: Member,
        language: Annotated[str, Form(max_length=8)] = "",
        timezone: Annotated[str, Form(max_length=64)] = "",
    ) -> Response:
        if caller.way != "session":
            raise Refused(403, "no_account", "A token has no pages of its own.")
        try:
            with services.store.transaction() as connection:
                set_look(connection, instant(services.clock.wall_ms()), caller.name, language, timezone.strip())
        except UsageError as why:
            raise Refused(422, "bad_account", str(why)) from why
        answer = RedirectResponse("/admin?said=done#me", 303)
        if language:
            remember(answer, services, COOKIE, language)
        elif COOKIE in request.cookies:
            answer.delete_cookie(COOKIE, path="/")
        return answer

    return routes
