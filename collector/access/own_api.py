"""``/api/me``: whom the server takes the caller for, their password and the sessions they have open.

Only for whoever signed in with an account: an API token is nobody's own, and ends by being revoked.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from collector.access.caller import Caller
from collector.access.guard import Reader, client_address, member, set_session_cookie
from collector.access.own_queries import end_sessions, own_sessions
from collector.access.paging import Page
from collector.access.problems import not_found
from collector.errors import Refused
from collector.store.schema import instant

if TYPE_CHECKING:
    from collector.services import Services

Member = Annotated[Caller, Depends(member)]


class PasswordIn(BaseModel):
    old: str = Field(max_length=1024)
    new: str = Field(max_length=1024)


class PasswordOut(BaseModel):
    """``csrf``: what writes of the session must carry from now on; its cookie comes with this answer."""

    csrf: str


class SessionOut(BaseModel):
    """``seen_at`` is true to five minutes; ``address`` is where it began, empty where that is not known."""

    id: str
    began_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    is_this: bool


class Ended(BaseModel):
    ended: int


def router(services: Services) -> APIRouter:
    routes = APIRouter(prefix="/api/me", tags=["access"])
    access = services.access

    @routes.get("")
    def me(caller: Reader) -> dict[str, Any]:
        """Who the server takes the caller for."""
        scope = caller.scope
        return {
            "name": caller.name,
            "display_name": caller.display_name,
            "role": caller.role,
            "language": caller.language,
            "timezone": caller.timezone,
            "way": caller.way,
            "agencies": None if scope.agencies is None else sorted(scope.agencies),
            "sites": None if scope.sites is None else sorted(scope.sites),
        }

    @routes.post("/password")
    def password(request: Request, response: Response, caller: Member, wanted: PasswordIn) -> PasswordOut:
        """Another password. All other sessions of the account end."""
        own_account(caller)
        session = access.change_password(caller.name, wanted.old, wanted.new, client_address(access, request))
        set_session_cookie(access, response, session.secret, int(session.lasting.total_seconds()))
        return PasswordOut(csrf=session.csrf)

    @routes.get("/sessions")
    def sessions(request: Request, caller: Reader) -> Page[SessionOut]:
        """Where one is signed in: this session first, then the last used ones."""
        own_account(caller)
        now = instant(services.clock.wall_ms())
        with services.store.reading() as connection:
            found = own_sessions(connection, caller.name, secret_of(services, request), now)
        return Page(items=[SessionOut.model_validate(each, from_attributes=True) for each in found], next=None)

    @routes.delete("/sessions")
    def end_others(request: Request, caller: Member) -> Ended:
        """End all one's sessions but this."""
        return Ended(ended=end(services, request, caller))

    @routes.delete("/sessions/{session}")
    def end_one(request: Request, caller: Member, session: str) -> Ended:
        """End one of one's sessions."""
        ended = end(services, request, caller, session)
        if not ended:
            raise not_found("session", session)
        return Ended(ended=ended)

    return routes


def own_account(caller: Caller) -> None:
    """Raises Refused 403 for whoever has none: a token, or somebody who did not sign in."""
    if caller.way != "session":
        raise Refused(403, "no_account", "This is for somebody who signed in with an account.")


def secret_of(services: Services, request: Request) -> str:
    """Of the session that asks."""
    return request.cookies.get(services.access.cookie_name, "")


def end(services: Services, request: Request, caller: Caller, session: str = "") -> int:
    """End this session of the caller's, or all others; how many."""
    own_account(caller)
    with services.store.transaction() as connection:
        now = instant(services.clock.wall_ms())
        return end_sessions(connection, now, caller.name, secret_of(services, request), session)
