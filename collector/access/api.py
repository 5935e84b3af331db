"""Signing in and out. The login page itself belongs to the web; it posts its form here.

``POST /login`` (fields ``username``, ``password``, ``next``) answers a browser with 303: to ``next``, or back to
``/login?error=CODE`` (``wrong_login``, ``too_many_logins``). A program that accepts JSON gets JSON or problem details.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from collector.access import own_api
from collector.access.caller import ANONYMOUS, Caller
from collector.access.guard import (
    check_origin,
    clear_session_cookie,
    client_address,
    member,
    set_session_cookie,
)
from collector.errors import Refused

if TYPE_CHECKING:
    from collector.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter(tags=["access"])
    access = services.access

    @routes.post("/login", response_model=None, responses={303: {"description": "To the page asked for"}})
    def login(
        request: Request,
        username: Annotated[str, Form(max_length=64)],
        password: Annotated[str, Form(max_length=1024)],
        next: Annotated[str, Form(max_length=2000)] = "/",
    ) -> Response:
        """Sign in; sets the session cookie."""
        target = safe_target(next)
        try:
            check_origin(access, request, ANONYMOUS)  # else another site could sign its reader in as somebody
            session = access.login(username, password, client_address(access, request))
        except Refused as why:
            services.telemetry.login(why.code)
            if _wants_json(request) or why.status == 403:
                raise
            where = f"/login?error={why.code}&next={quote(target, safe='')}"
            return RedirectResponse(where, status_code=303, headers=why.headers)
        services.telemetry.login("ok")
        answer: Response = RedirectResponse(target, status_code=303)
        if _wants_json(request):
            answer = JSONResponse({"name": username, "csrf": session.csrf})
        set_session_cookie(access, answer, session.secret, int(session.lasting.total_seconds()))
        return answer

    @routes.post("/logout", response_model=None, responses={303: {"description": "To the login page"}})
    def logout(request: Request, caller: Annotated[Caller, Depends(member)]) -> Response:
        """Sign out: the session is over on the server, not just forgotten by the browser."""
        if caller.way == "session":
            access.logout(request.cookies.get(access.cookie_name, ""), caller.name)
        answer: Response = JSONResponse({}) if _wants_json(request) else RedirectResponse("/login", status_code=303)
        clear_session_cookie(access, answer)
        return answer

    routes.include_router(own_api.router(services))
    return routes


def safe_target(target: str) -> str:
    """A path of ours to go to, never another site's: anything else becomes ``/``."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if is_ours and target.isprintable() and "\\" not in target else "/"


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")
