"""``/admin``: people and teams with their addresses, who may sign in, programs' tokens, who may what, and the audit log.

Each part is for whom its right is: addresses ``reach``, accounts and tokens ``administer``, the log ``audit``; everybody
who is signed in sees the table of roles; what is their own is on ``/account``. People, teams and addresses are the roster file's and say so;
what can be done here is to prove that an address reaches its person."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent.link.clock import SystemChance
from collector.access.administer import change_user, new_password, remove_user, take_user
from collector.access.audit import read_log, record
from collector.access.caller import Caller
from collector.access.guard import Administrator, Reader, member
from collector.access.passwords import generate_password
from collector.access.queries import (
    API_TOKEN_PREFIX,
    add_api_token,
    list_api_tokens,
    list_persons,
    revoke_api_token,
)
from collector.access.roles import RIGHTS, TABLE, role_of
from collector.errors import Refused, UsageError
from collector.fleet.scope_check import check_scope
from collector.pages import verify
from collector.people.queries import list_people, list_teams, may_reach, note_view
from collector.store.schema import instant
from collector.store.scope import EVERYTHING, Scope
from collector.web.people_names import PeopleNames
from collector.web.render import frame_of, page

if TYPE_CHECKING:
    from collector.services import Services

Member = Annotated[Caller, Depends(member)]
Text = Annotated[str, Form(max_length=400)]
SHOWN_LOG = 50
LIVING = timedelta(days=365)
SAID = ("sent", "verified", "done")


def router(services: Services) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/admin")
    def admin(request: Request, caller: Reader, said: str = "") -> Response:
        if not caller.is_signed_in:
            raise Refused(401, "login_needed", "This needs a login.")
        return show(request, services, caller, said=said if said in SAID else "")

    @routes.post("/admin/people/{person}/verify")
    def prove(caller: Member, person: str, channel: Text, address: Text, code: Text = "") -> Response:
        if code.strip():
            verify.confirm(services, caller, person, channel, address, code.strip())
            return RedirectResponse("/admin?said=verified#people", 303)
        office = services.response.pages
        verify.send_code(services, office.ways, office.deliveries.wake, caller, person, channel, address)
        return RedirectResponse("/admin?said=sent#people", 303)

    @routes.post("/admin/users")
    def add(
        request: Request, caller: Administrator, username: Text, role: Text, display_name: Text = "", agencies: Text = "",
        sites: Text = "",
    ) -> Response:  # fmt: skip
        password = generate_password(SystemChance())

        def make(connection: Any, now: Any, scope: Scope) -> None:
            take_user(connection, now, caller.name, username.strip(), password, role, display_name, scope)

        change(services, make, agencies, sites)
        return show(request, services, caller, secret=(username.strip(), password))

    @routes.post("/admin/users/{username}")
    def alter(caller: Administrator, username: str, role: Text, agencies: Text = "", sites: Text = "") -> Response:
        def make(connection: Any, now: Any, scope: Scope) -> None:
            change_user(connection, now, caller.name, username, role, scope)

        change(services, make, agencies, sites)
        return RedirectResponse("/admin?said=done#users", 303)

    @routes.post("/admin/users/{username}/password")
    def password(request: Request, caller: Administrator, username: str) -> Response:
        made = generate_password(SystemChance())
        change(services, lambda connection, now, _: new_password(connection, now, caller.name, username, made))
        return show(request, services, caller, secret=(username, made))

    @routes.post("/admin/users/{username}/remove")
    def remove(caller: Administrator, username: str) -> Response:
        change(services, lambda connection, now, _: remove_user(connection, now, caller.name, username))
        return RedirectResponse("/admin?said=done#users", 303)

    @routes.post("/admin/tokens")
    def token(
        request: Request, caller: Administrator, name: Text, role: Text, agencies: Text = "", sites: Text = ""
    ) -> Response:
        secret = API_TOKEN_PREFIX + SystemChance().bytes(32).hex()

        def make(connection: Any, now: Any, scope: Scope) -> None:
            add_api_token(
                connection, secret, name.strip()[:64], caller.name, now, role=role, scope=scope, expires_at=now + LIVING
            )
            record(connection, now, caller.name, "api_token.create", name.strip()[:64], {"role": role})

        change(services, make, agencies, sites)
        return show(request, services, caller, secret=(name.strip(), secret))

    @routes.post("/admin/tokens/{name}/revoke")
    def revoke(caller: Administrator, name: str) -> Response:
        def end(connection: Any, now: Any, _: Scope) -> None:
            if revoke_api_token(connection, name, now):
                record(connection, now, caller.name, "api_token.revoke", name)

        change(services, end)
        return RedirectResponse("/admin?said=done#tokens", 303)

    return routes


def change(services: Services, make: Any, agencies: str = "", sites: str = "") -> None:
    """Do it in a transaction with the limits as typed: ids, a comma or space between; empty = all. Raises Refused 422."""
    scope = Scope(_ids(agencies), _ids(sites))
    try:
        with services.store.transaction() as connection:
            check_scope(connection, scope)
            make(connection, instant(services.clock.wall_ms()), scope)
    except UsageError as why:
        raise Refused(422, "bad_account", str(why)) from why


def _ids(text: str) -> frozenset[str] | None:
    found = frozenset(text.replace(",", " ").split())
    return found or None


def show(
    request: Request,
    services: Services,
    caller: Caller,
    *,
    said: str = "",
    secret: tuple[str, str] = ("", ""),
) -> Response:
    """The page; ``secret`` = (whose, what) right after it was made: it is shown this once and never by an address."""
    frame, now = frame_of(request, services), instant(services.clock.wall_ms())
    administers = caller.may("administer")
    audits = caller.may("audit") and caller.scope == EVERYTHING
    with services.store.reading() as connection:
        people = list_people(connection, caller.scope, limit=1_000_000)
        teams = list_teams(connection, caller.scope, limit=1_000_000)
        users = list_persons(connection) if administers else []
        tokens = [row for row in list_api_tokens(connection) if row.revoked_at is None] if administers else []
        log = read_log(connection, limit=SHOWN_LOG) if audits else []
    known = {each.id for each in people if may_reach(caller, each)}
    with services.store.transaction() as connection:
        note_view(connection, now, caller, [each for each in people if each.id in known], "/admin")
        if audits:
            record(connection, now, caller.name, "audit.view", "/admin")
    by_id = {each.id: each for each in people}
    values = {
        "people": people,
        "teams": teams,
        "known": known,
        "users": users,
        "tokens": tokens,
        "log": log,
        "administers": administers,
        "audits": audits,
        "may_prove": {
            each.id for each in people if (caller.may("lead") and each.id in known) or each.login == caller.name
        },
        "roles": TABLE,
        "rights": RIGHTS,
        "role_of": role_of,
        "names": PeopleNames.of(by_id, frame.language),
        "said": said,
        "secret": secret,
        "me": caller,
    }
    return page(request, services, "admin.html", values, frame=frame)
