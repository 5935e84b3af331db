"""``/account``: one's own language and clock, password, sessions, and what the roster file says of oneself.

For whoever is signed in with an account; the name in the head of every page leads here. Quiet hours and addresses are the
roster file's: here one sees them, and proves that an address reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collector.access.administer import set_look
from collector.access.caller import Caller
from collector.access.guard import Reader, client_address, member, set_session_cookie
from collector.access.own_api import end, own_account, secret_of
from collector.access.own_queries import own_sessions
from collector.access.passwords import LEAST_CHARS
from collector.access.queries import look_of
from collector.access.roles import role_of
from collector.errors import Refused, UsageError
from collector.pages import verify
from collector.people.queries import list_people, zone_of_login
from collector.store.schema import instant
from collector.store.scope import EVERYTHING
from collector.web.i18n import COOKIE
from collector.web.render import frame_of, page, remember

if TYPE_CHECKING:
    from collector.services import Services

Member = Annotated[Caller, Depends(member)]
Secret = Annotated[str, Form(max_length=1024)]
Text = Annotated[str, Form(max_length=400)]
ZONES = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
SAID = ("look", "password", "ended", "sent", "verified")
TROUBLES = ("wrong_password", "same_password", "short_password", "too_many_logins", "not_twice")
"""Why a password was not changed: each has its words in the catalogs."""


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    access = services.access

    @routes.get("/account")
    def account(request: Request, caller: Reader, said: str = "") -> Response:
        if not caller.is_signed_in:
            raise Refused(401, "login_needed", "This needs a login.")
        own_account(caller)
        return show(request, services, caller, said=said if said in SAID else "")

    @routes.post("/account")
    def look(
        request: Request,
        caller: Member,
        language: Annotated[str, Form(max_length=8)] = "",
        timezone: Annotated[str, Form(max_length=64)] = "",
    ) -> Response:
        own_account(caller)
        try:
            with services.store.transaction() as connection:
                set_look(connection, instant(services.clock.wall_ms()), caller.name, language, timezone.strip())
        except UsageError as why:
            raise Refused(422, "bad_account", str(why)) from why
        answer = said_on("look")
        if language:
            remember(answer, services, COOKIE, language)
        elif COOKIE in request.cookies:
            answer.delete_cookie(COOKIE, path="/")
        return answer

    @routes.post("/account/password")
    def password(request: Request, caller: Member, old: Secret, new: Secret, again: Secret) -> Response:
        own_account(caller)
        try:
            if new != again:
                raise Refused(422, "not_twice", "The two new passwords differ.")
            session = access.change_password(caller.name, old, new, client_address(access, request))
        except Refused as why:
            if why.code not in TROUBLES:
                raise
            return show(request, services, caller, trouble=why)
        answer = said_on("password")
        set_session_cookie(access, answer, session.secret, int(session.lasting.total_seconds()))
        return answer

    @routes.post("/account/sessions/end")
    def end_some(request: Request, caller: Member, session: Annotated[str, Form(max_length=16)] = "") -> Response:
        """This one, or without one all others; one that is over already is no trouble."""
        end(services, request, caller, session)
        return said_on("ended", "sessions")

    @routes.post("/account/addresses/{person}")
    def prove(caller: Member, person: str, channel: Text, address: Text, code: Text = "") -> Response:
        own_account(caller)
        if code.strip():
            verify.confirm(services, caller, person, channel, address, code.strip())
            return said_on("verified", "duty")
        office = services.response.pages
        verify.send_code(services, office.ways, office.deliveries.wake, caller, person, channel, address)
        return said_on("sent", "duty")

    return routes


def said_on(said: str, part: str = "") -> RedirectResponse:
    return RedirectResponse(f"/account?said={said}" + (f"#{part}" if part else ""), 303)


def show(
    request: Request, services: Services, caller: Caller, *, said: str = "", trouble: Refused | None = None
) -> Response:
    """The page; after a refused password with why, and nothing of what was typed."""
    frame = frame_of(request, services)
    with services.store.reading() as connection:
        look = look_of(connection, caller.name) or ("", "")
        usual_zone = zone_of_login(connection, caller.name)
        everybody = list_people(connection, EVERYTHING, limit=1_000_000)
        sessions = own_sessions(
            connection, caller.name, secret_of(services, request), instant(services.clock.wall_ms())
        )
    values = {
        "me": caller,
        "role": role_of(caller.role),
        "language": look[0],
        "zone": look[1],
        "usual_zone": usual_zone,
        "zones": ZONES,
        "people": [each for each in everybody if each.login == caller.name],
        "sessions": sessions,
        "least": LEAST_CHARS,
        "said": said,
        "trouble": trouble.code if trouble is not None else "",
    }
    return page(request, services, "account.html", values, status=trouble.status if trouble else 200, frame=frame)
