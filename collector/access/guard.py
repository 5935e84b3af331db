"""The door: ``Guard`` stands in front of the whole application and denies by default; ``reader`` and ``writer`` are the
dependencies through which an endpoint gets its caller.

``Guard`` decides who the caller is and turns away those without one. Writing by session also needs the browser's word
that the request comes from our own page (Origin) and the session's CSRF token, as field ``csrf`` of the form or header
``X-CSRF-Token``. A request with an API token needs neither: no browser sends one by itself.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.access.caller import ANONYMOUS, Caller
from collector.access.identity import Access
from collector.access.problems import add_problem_handlers, problem
from collector.access.roles import WALL
from collector.errors import Refused
from collector.store.scope import EVERYTHING

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/login", "/wall/enter", "/keys", "/look"})
WALL_PATHS = frozenset({"/wall", "/events"})
"""What a screen on a wall may open."""
OPEN_PREFIXES = ("/v1/", "/status/", "/static/", "/feeds/", "/a/")
"""``/v1/`` is the agents' and proves itself by signatures; ``/static/`` holds the program's own public files, which the
login page needs, and never data; an address under ``/feeds/`` is itself the secret, as calendar programs cannot sign in, and so is one
under ``/a/``: somebody who is called at night answers by the link alone."""
MOST_BODY_BYTES = 1 << 20
"""Of what people and tools send; envelopes and schemas do not come this way."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1", ""})
CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"


def is_open(path: str) -> bool:
    """Whether this path is for everyone."""
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIXES)


def protect(app: FastAPI, access: Access) -> None:
    """Put the door in front of an application. Call once, when it is made."""
    app.state.access = access
    app.add_middleware(Guard, access=access)
    add_problem_handlers(app)


class Guard:
    """ASGI middleware; sets ``request.state.caller``."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                raise Refused(400, "bad_request", "A name may not hold a NUL character.")  # nor can PostgreSQL's text
            caller = await run_in_threadpool(find_caller, self._access, connection)
            if caller is None and not is_open(scope["path"]):
                raise Refused(
                    401,
                    "login_needed",
                    "This needs a login, or an API token in the header 'Authorization: Bearer …'.",
                    headers={"WWW-Authenticate": "Bearer"},
                )
            if caller is not None and scope.get("method") not in SAFE_METHODS and not is_open(scope["path"]):
                check_origin(self._access, connection, caller)
        except Refused as why:
            await _turned_away(connection, why)(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, measured(receive), send)


def measured(receive: Receive) -> Receive:
    """The same body, but no more than ``MOST_BODY_BYTES`` of it: frameworks read a form whole before anyone looks."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MOST_BODY_BYTES:
            raise Refused(
                413, "too_large", f"The body is larger than {MOST_BODY_BYTES} bytes.", headers={"Connection": "close"}
            )
        return message

    return counted


def _turned_away(connection: HTTPConnection, why: Refused) -> Response:
    """People in a browser are led to the login page, programs get the problem."""
    path = connection.url.path
    wants_page = "text/html" in connection.headers.get("accept", "") and connection.scope.get("method") in SAFE_METHODS
    if why.status == 401 and wants_page and not path.startswith("/api/"):
        target = path + (f"?{connection.url.query}" if connection.url.query else "")
        return RedirectResponse(f"/login?next={quote(target, safe='')}", status_code=303)
    return problem(why)


def find_caller(access: Access, connection: HTTPConnection) -> Caller | None:
    """The caller by API token, session, or for being on this machine; None where there is none.

    Raises Refused for a token that is none: a program should learn that at once, not read as somebody else.
    """
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    is_basic = scheme.lower() == "basic" and "sec-fetch-site" not in connection.headers
    if is_basic or scheme.lower() == "bearer":
        caller = access.by_token(_password(secret) if is_basic else secret.strip())
        if caller is None and not is_open(connection.scope["path"]):
            raise Refused(
                401,
                "bad_token",
                "This API token is unknown, expired or revoked.",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        return caller
    cookie = connection.cookies.get(access.cookie_name, "")
    caller = access.by_session(cookie) if cookie else None
    if caller is None and connection.scope["path"] in WALL_PATHS:
        caller = access.by_wall(connection.cookies.get(access.wall_cookie_name, ""))
    if caller is None and access.open_reading and is_near(access, connection):
        return ANONYMOUS
    return caller


def _password(basic: str) -> str:
    """The token, of tools that only know user names and passwords: the name is theirs to choose. Browsers, which would
    send it again by themselves whoever's page asks, are not heard."""
    try:
        return base64.b64decode(basic.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def is_near(access: Access, connection: HTTPConnection) -> bool:
    """Whether a request over a loopback bind is from this machine in earnest.

    A proxy nobody told us of adds forwarding headers; a web page elsewhere that points its own name at 127.0.0.1 sends
    that name as Host.
    """
    if any(name in connection.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip")):
        return False
    try:
        host = urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    known = {access.server.host, urlsplit(access.server.public_url).hostname}
    return host in LOOPBACK_NAMES or host in known


def check_origin(access: Access, connection: HTTPConnection, caller: Caller) -> None:
    """Raises Refused where a browser sent this from another site's page. Tools send no Origin and no cookie."""
    if caller.way == "token":
        return
    origin = connection.headers.get("origin") or connection.headers.get("referer", "")
    if not origin and caller.way == "open":
        return
    try:
        sent = urlsplit(origin)
        own = {connection.headers.get("host", ""), urlsplit(access.server.public_url).netloc} - {""}
        if access.server.behind_proxy:
            own.add(connection.headers.get("x-forwarded-host", ""))
        if sent.netloc and sent.netloc in own:
            return
    except ValueError:
        pass
    raise Refused(403, "foreign_origin", f"This write came from {origin or 'no page'}, not from a page of ours.")


def client_address(access: Access, request: Request) -> str:
    """The address a request came from; behind a proxy, what the proxy itself saw."""
    if access.server.behind_proxy:
        seen = request.headers.get("x-forwarded-for", "").rsplit(",", 1)[-1].strip()
        if seen:
            return seen
    return request.client.host if request.client else ""


def reader(request: Request) -> Caller:
    """The caller of an endpoint that reads."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        raise Refused(401, "login_needed", "This needs a login.", headers={"WWW-Authenticate": "Bearer"})
    if not caller.may("read"):
        raise Refused(403, "not_allowed", f"The role {caller.role!r} is none that may read here.")
    return caller


def watcher(request: Request) -> Caller:
    """The caller of what a screen on a wall shows: whoever may read, and the screen itself."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is not None and caller.role == WALL and request.url.path in WALL_PATHS:
        return caller
    return reader(request)


async def member(request: Request) -> Caller:
    """Anyone signed in who acts on their own behalf (signing out, own settings); checks the CSRF token."""
    caller = reader(request)
    if not caller.is_signed_in:
        raise Refused(401, "login_needed", "Writing needs a login, also on this machine.")
    if caller.way == "session":
        given = request.headers.get(CSRF_HEADER, "")
        if not given and request.headers.get("content-type", "").startswith(
            ("application/x-www-form-urlencoded", "multipart/form-data")
        ):
            given = str((await request.form()).get(CSRF_FIELD, ""))
        if not _is_same(given, caller.csrf):
            raise Refused(403, "bad_csrf", "The page was too old for this: load it again and repeat.")
    return caller


def needs(right: str) -> Callable[[Request], Awaitable[Caller]]:
    """The dependency of an endpoint that changes what only this right may change."""

    async def allowed(request: Request) -> Caller:
        caller = await member(request)
        if not caller.may(right):
            raise Refused(403, "not_allowed", f"{caller.name} may not do this: it needs the right {right!r}.")
        return caller

    allowed.right = right  # type: ignore[attr-defined]
    return allowed


answerer = needs("answer")
announcer = needs("announce")
writer = needs("work")
leader = needs("lead")
administrator = needs("administer")


def auditor(request: Request) -> Caller:
    """The caller of an endpoint that reads the audit log, which is of everybody: a limited view of it there is not."""
    caller = reader(request)
    if not caller.may("audit") or caller.scope != EVERYTHING:
        raise Refused(403, "not_allowed", f"{caller.name} may not read the audit log: it needs the right 'audit'.")
    return caller


Reader = Annotated[Caller, Depends(reader)]
Watcher = Annotated[Caller, Depends(watcher)]
Answerer = Annotated[Caller, Depends(answerer)]
"""Acknowledges and says something: also a site's own administrator, for what is theirs."""
Announcer = Annotated[Caller, Depends(announcer)]
Writer = Annotated[Caller, Depends(writer)]
Leader = Annotated[Caller, Depends(leader)]
Auditor = Annotated[Caller, Depends(auditor)]
Administrator = Annotated[Caller, Depends(administrator)]


def set_session_cookie(access: Access, response: Response, secret: str, max_age: int) -> None:
    response.set_cookie(
        access.cookie_name, secret, max_age=max_age, path="/", httponly=True, samesite="lax", secure=access.is_secure
    )


def set_wall_cookie(access: Access, response: Response, secret: str) -> None:
    """For a year: a screen stays where it hangs, and its token can be revoked by name."""
    year = 365 * 86_400
    response.set_cookie(
        access.wall_cookie_name, secret, max_age=year, path="/", httponly=True, samesite="lax", secure=access.is_secure
    )


def clear_session_cookie(access: Access, response: Response) -> None:
    response.delete_cookie(access.cookie_name, path="/", httponly=True, samesite="lax", secure=access.is_secure)


def _is_same(given: str, expected: str) -> bool:
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
